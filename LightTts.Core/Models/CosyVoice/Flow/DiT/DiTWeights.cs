using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Weights of the diffusion transformer that estimates the flow's velocity (the
/// reference's flow/DiT/dit.py), laid out for how they are used.</summary>
internal sealed class DiTWeights : IDisposable
{
    private const int ConvGroups = 16; // CausalConvPositionEmbedding's defaults; the configuration has no field for them.
    private const int ConvKernel = 31;
    private const int TimeFrequencies = 256;

    private DiTWeights(DiTConfig config, int mel)
    {
        Config = config;
        MelBands = mel;
    }

    public DiTConfig Config { get; }

    public int MelBands { get; }

    public int Groups => ConvGroups;

    /// <summary>Frames of left context of each of the two positional convolutions.</summary>
    public int ConvTail => ConvKernel - 1;

    public required Linear Time1 { get; init; }

    public required Linear Time2 { get; init; }

    /// <summary>The noisy mel's part of the input projection, without bias: [MelBands -> Dim].</summary>
    public required Linear InputX { get; init; }

    /// <summary>The part of prompt mel and encoded tokens, without bias: [2 MelBands -> Dim].</summary>
    public required Linear InputCondMu { get; init; }

    /// <summary>The speaker's part, with the projection's bias: [MelBands -> Dim].</summary>
    public required Linear InputSpeaker { get; init; }

    /// <summary>The projection's bias alone, which is all that the unconditional row has: [Dim].</summary>
    public required Tensor InputBias { get; init; }

    public required Tensor Conv1 { get; init; }

    public required Tensor Conv1Bias { get; init; }

    public required Tensor Conv2 { get; init; }

    public required Tensor Conv2Bias { get; init; }

    /// <summary>Rotary frequencies, [HeadDim / 2].</summary>
    public required Tensor InverseFrequencies { get; init; }

    public required DiTBlockWeights[] Blocks { get; init; }

    public required Linear FinalModulation { get; init; }

    public required Linear Output { get; init; }

    /// <summary>Takes the estimator's tensors out of a checkpoint.</summary>
    /// <param name="reader">The flow's checkpoint.</param>
    /// <param name="config">The estimator's shapes.</param>
    /// <param name="mel">Mel bands; the reference uses the same number for encoded tokens and speaker.</param>
    public static DiTWeights Load(WeightReader reader, DiTConfig config, int mel)
    {
        const string root = "decoder.estimator.";
        long dim = config.Dim;
        Linear Take(string name, long outputs, long inputs, ScalarType type) =>
            Linear.Create(reader.Take($"{root}{name}.weight", outputs, inputs), reader.Take($"{root}{name}.bias", outputs), type);
        using var project = reader.Take($"{root}input_embed.proj.weight", dim, 4 * mel);
        var bias = reader.Take($"{root}input_embed.proj.bias", dim).DetachFromDisposeScope();
        const string conv = $"{root}input_embed.conv_pos_embed.conv";
        return new DiTWeights(config, mel)
        {
            Time1 = Take("time_embed.time_mlp.0", dim, TimeFrequencies, ScalarType.Float32),
            Time2 = Take("time_embed.time_mlp.2", dim, dim, ScalarType.Float32),
            // Order of the concatenation: x, cond, mu, speaker.
            InputX = Linear.Create(project.narrow(1, 0, mel).clone(), null, ScalarType.Float32),
            InputCondMu = Linear.Create(project.narrow(1, mel, 2 * mel).clone(), null, ScalarType.Float32),
            InputSpeaker = Linear.Create(project.narrow(1, 3 * mel, mel).clone(), bias.clone(), ScalarType.Float32),
            InputBias = bias,
            Conv1 = reader.Take($"{conv}1.0.weight", dim, dim / ConvGroups, ConvKernel).DetachFromDisposeScope(),
            Conv1Bias = reader.Take($"{conv}1.0.bias", dim).DetachFromDisposeScope(),
            Conv2 = reader.Take($"{conv}2.0.weight", dim, dim / ConvGroups, ConvKernel).DetachFromDisposeScope(),
            Conv2Bias = reader.Take($"{conv}2.0.bias", dim).DetachFromDisposeScope(),
            InverseFrequencies = reader.Take($"{root}rotary_embed.inv_freq", config.HeadDim / 2).DetachFromDisposeScope(),
            Blocks = [.. Enumerable.Range(0, config.Depth).Select(i =>
            DiTBlockWeights.Load(reader, $"{root}transformer_blocks.{i}.", config))],
            FinalModulation = Take("norm_out.linear", 2 * dim, dim, ScalarType.Float32),
            Output = Take("proj_out", mel, dim, ScalarType.Float32),
        };
    }

    public void Dispose()
    {
        foreach (var layer in (Linear[])[Time1, Time2, InputX, InputCondMu, InputSpeaker, FinalModulation, Output])
            layer.Dispose();
        foreach (var tensor in (Tensor[])[InputBias, Conv1, Conv1Bias, Conv2, Conv2Bias, InverseFrequencies])
            tensor.Dispose();
        foreach (var block in Blocks)
            block.Dispose();
    }
}

/// <summary>Weights of one transformer block.</summary>
/// <param name="Modulation">Time embedding to shift, scale and gate of attention and feed-forward: [Dim -> 6 Dim].</param>
/// <param name="Qkv">Queries, keys and values in one product: [Dim -> 3 Inner].</param>
/// <param name="AttentionOut">[Inner -> Dim].</param>
/// <param name="Up">[Dim -> FeedForwardMultiple Dim].</param>
/// <param name="Down">[FeedForwardMultiple Dim -> Dim].</param>
internal sealed record DiTBlockWeights(Linear Modulation, Linear Qkv, Linear AttentionOut, Linear Up, Linear Down) : IDisposable
{
    public static DiTBlockWeights Load(WeightReader reader, string root, DiTConfig config)
    {
        long dim = config.Dim, inner = (long)config.Heads * config.HeadDim, hidden = dim * config.FeedForwardMultiple;
        Linear Take(string name, long outputs, long inputs) =>
            reader.Product($"{root}{name}", outputs, inputs, () => Linear.Create(reader.Take($"{root}{name}.weight", outputs, inputs),
                reader.Take($"{root}{name}.bias", outputs), reader.Device));
        Tensor Stack(string part, params long[] shape)
        {
            using var scope = NewDisposeScope();
            return cat([.. "qkv".Select(c => reader.Take($"{root}attn.to_{c}.{part}", shape))], 0).MoveToOuterDisposeScope();
        }
        // Used once for every number of solver steps: a tenth of the model's numbers, which can stay in the file.
        var bias = reader.Take($"{root}attn_norm.linear.bias", 6 * dim);
        const string modulation = "attn_norm.linear.weight";
        return new DiTBlockWeights(
            (Linear?)reader.Map(root + modulation, 6 * dim, dim, entry => MappedLinear.Of(entry, bias))
                ?? Linear.Create(reader.Take(root + modulation, 6 * dim, dim), bias, ScalarType.Float32),
            reader.Product($"{root}attn.qkv", 3 * inner, dim, () =>
                Linear.Create(Stack("weight", inner, dim), Stack("bias", inner), reader.Device)),
            Take("attn.to_out.0", dim, inner),
            Take("ff.ff.0.0", hidden, dim),
            Take("ff.ff.2", dim, hidden));
    }

    public void Dispose()
    {
        Modulation.Dispose();
        Qkv.Dispose();
        AttentionOut.Dispose();
        Up.Dispose();
        Down.Dispose();
    }
}
