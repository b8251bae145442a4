using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.UNet;

/// <summary>Weights of the U-Net that estimates the velocity of CosyVoice2's flow (the reference's CausalConditionalDecoder), laid out for how
/// they are used. Its one resolution makes it a row of levels: one down, some in the middle, one up.</summary>
internal sealed class UNetWeights : IDisposable
{
    private UNetWeights(UNetConfig config, int mel)
    {
        Config = config;
        MelBands = mel;
    }

    public UNetConfig Config { get; }

    public int MelBands { get; }

    public required Linear Time1 { get; init; }

    public required Linear Time2 { get; init; }

    /// <summary>Down, middle, up.</summary>
    public required UNetLevel[] Levels { get; init; }

    /// <summary>Behind the first level; behind the last one.</summary>
    public required UNetConv DownConv { get; init; }

    public required UNetConv UpConv { get; init; }

    public required UNetConv FinalConv { get; init; }

    public required UNetNorm FinalNorm { get; init; }

    public required Linear Output { get; init; }

    /// <summary>Convolutions, each of which keeps a tail.</summary>
    public int Convolutions => 2 * Levels.Length + 3;

    /// <summary>Transformer blocks, each of which keeps keys and values.</summary>
    public int Blocks => Levels.Length * Config.Blocks;

    /// <summary>Takes the estimator's tensors out of a checkpoint.</summary>
    public static UNetWeights Load(WeightReader reader, UNetConfig config, int mel)
    {
        const string root = "decoder.estimator.";
        long channels = config.Channels, time = UNetConfig.TimeMultiple * channels, inputs = 4 * mel;
        var slots = 2 * (config.MidBlocks + 2);
        Linear Take(string name, long outputs, long width) =>
            Linear.Create(reader.Take($"{root}{name}.weight", outputs, width), reader.Take($"{root}{name}.bias", outputs), ScalarType.Float32);
        UNetLevel Level(int index, string name, long width) => UNetLevel.Load(reader, $"{root}{name}.", config, width, index);
        return new UNetWeights(config, mel)
        {
            Time1 = Take("time_mlp.linear_1", time, inputs),
            Time2 = Take("time_mlp.linear_2", time, time),
            Levels =
            [
                Level(0, "down_blocks.0", inputs),
                .. Enumerable.Range(0, config.MidBlocks).Select(i => Level(1 + i, $"mid_blocks.{i}", channels)),
                Level(1 + config.MidBlocks, "up_blocks.0", 2 * channels),
            ],
            DownConv = UNetConv.Load(reader, $"{root}down_blocks.0.2", channels, channels, slots),
            UpConv = UNetConv.Load(reader, $"{root}up_blocks.0.2", channels, channels, slots + 1),
            FinalConv = UNetConv.Load(reader, $"{root}final_block.block.0", channels, channels, slots + 2),
            FinalNorm = UNetNorm.Load(reader, $"{root}final_block.block.2", channels),
            Output = UNetConv.Pointwise(reader, $"{root}final_proj", mel, channels),
        };
    }

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[Time1, Time2, .. Levels, DownConv, UpConv, FinalConv, FinalNorm, Output])
            part.Dispose();
    }
}

/// <summary>A ResNet block and the transformer blocks behind it (reference: CausalResnetBlock1D, BasicTransformerBlock).</summary>
/// <param name="Time">Mish of the time embedding to what is added between the convolutions.</param>
/// <param name="Conv1">[Inputs -> Channels].</param>
/// <param name="Norm1">Behind it.</param>
/// <param name="Conv2">[Channels -> Channels].</param>
/// <param name="Norm2">Behind it.</param>
/// <param name="Residual">[Inputs -> Channels].</param>
/// <param name="Blocks">Transformer blocks.</param>
internal sealed record UNetLevel(Linear Time, UNetConv Conv1, UNetNorm Norm1, UNetConv Conv2, UNetNorm Norm2, Linear Residual, UNetBlock[] Blocks)
    : IDisposable
{
    public static UNetLevel Load(WeightReader reader, string root, UNetConfig config, long inputs, int index)
    {
        long channels = config.Channels;
        return new UNetLevel(
            Linear.Create(reader.Take($"{root}0.mlp.1.weight", channels, UNetConfig.TimeMultiple * channels),
            reader.Take($"{root}0.mlp.1.bias", channels),
                ScalarType.Float32),
            UNetConv.Load(reader, $"{root}0.block1.block.0", channels, inputs, 2 * index),
            UNetNorm.Load(reader, $"{root}0.block1.block.2", channels),
            UNetConv.Load(reader, $"{root}0.block2.block.0", channels, channels, 2 * index + 1),
            UNetNorm.Load(reader, $"{root}0.block2.block.2", channels),
            UNetConv.Pointwise(reader, $"{root}0.res_conv", channels, inputs),
            [.. Enumerable.Range(0, config.Blocks).Select(i =>
                UNetBlock.Load(reader, $"{root}1.{i}.", config, index * config.Blocks + i))]);
    }

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[Time, Conv1, Norm1, Conv2, Norm2, Residual, .. Blocks])
            part.Dispose();
    }
}

/// <summary>Weights of one transformer block.</summary>
/// <param name="Norm1">Before attention.</param>
/// <param name="Qkv">Queries, keys and values in one product, without bias: [Channels -> 3 Inner].</param>
/// <param name="AttentionOut">[Inner -> Channels].</param>
/// <param name="Norm3">Before the feed-forward part (the reference's name; there is no second one).</param>
/// <param name="Up">[Channels -> 4 Channels].</param>
/// <param name="Down">[4 Channels -> Channels].</param>
/// <param name="Slot">Where its keys and values are kept.</param>
internal sealed record UNetBlock(UNetNorm Norm1, Linear Qkv, Linear AttentionOut, UNetNorm Norm3, Linear Up, Linear Down, int Slot) : IDisposable
{
    public static UNetBlock Load(WeightReader reader, string root, UNetConfig config, int slot)
    {
        long channels = config.Channels, inner = (long)config.Heads * config.HeadDim, hidden = UNetConfig.FeedForwardMultiple * channels;
        Linear Take(string name, long outputs, long inputs) =>
            reader.Product($"{root}{name}", outputs, inputs, () => Linear.Create(reader.Take($"{root}{name}.weight", outputs, inputs),
                reader.Take($"{root}{name}.bias", outputs), reader.Device));
        using var scope = NewDisposeScope();
        return new UNetBlock(
            UNetNorm.Load(reader, $"{root}norm1", channels),
            reader.Product($"{root}attn1.qkv", 3 * inner, channels, () => Linear.Create(
                cat([.. "qkv".Select(c => reader.Take($"{root}attn1.to_{c}.weight", inner, channels))], 0), null, reader.Device)),
            Take("attn1.to_out.0", channels, inner),
            UNetNorm.Load(reader, $"{root}norm3", channels),
            Take("ff.net.0.proj", hidden, channels),
            Take("ff.net.2", channels, hidden),
            slot);
    }

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[Norm1, Qkv, AttentionOut, Norm3, Up, Down])
            part.Dispose();
    }
}
