using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.Conformer;

/// <summary>CosyVoice2's encoder: look-ahead, conformer layers at the tokens' rate, twice the rate, conformer layers at the frames' rate (reference:
/// UpsampleConformerEncoder, and the projection behind it).</summary>
/// <remarks>Chunk-causal it is exact in pieces: its convolutions look to the left only, its attention sees whole chunks, and positions enter as
/// distances, which do not depend on where a piece begins. Its tail keeps the keys and values of every layer: 7168 numbers a frame at full size,
/// 1/160 of what the estimator keeps.</remarks>
internal sealed class ConformerEncoder : IFlowEncoder
{
    private const int Rate = 2; // of Upsample1D, whose kernel is twice that and one
    private const int UpTail = 2 * Rate;
    private const int FixedTails = 2; // of the look-ahead layer and of the up-sampling convolution, before the layers'

    private readonly int _chunkTokens;
    private readonly long _dim;
    private readonly TokenEmbedding _embedding;
    private readonly ConformerInput _input;
    private readonly PreLookaheadLayer _lookahead;
    private readonly ConformerLayer[] _layers;
    private readonly Linear _upConv;
    private readonly ConformerInput _upInput;
    private readonly ConformerLayer[] _upLayers;
    private readonly Tensor _norm;
    private readonly Tensor _normBias;
    private readonly Linear _project;

    public ConformerEncoder(WeightReader reader, FlowConfig config, ConformerConfig conformer)
    {
        (_dim, _chunkTokens) = (conformer.Dim, config.ChunkFrames / Rate);
        _embedding = new TokenEmbedding(reader, config);
        _input = new ConformerInput(reader, "encoder.embed.out", config.InputSize, _dim);
        _lookahead = new PreLookaheadLayer(reader, "encoder.pre_lookahead_layer", _dim, config.PreLookaheadChannels, config.PreLookaheadTokens);
        ConformerLayer[] Layers(string name, int count) =>
            [.. Enumerable.Range(0, count).Select(i => new ConformerLayer(reader, $"encoder.{name}.{i}.", conformer))];
        _layers = Layers("encoders", conformer.Blocks);
        _upConv = Linear.Create(reader.Take("encoder.up_layer.conv.weight", _dim, _dim, UpTail + 1).flatten(1),
            reader.Take("encoder.up_layer.conv.bias", _dim), ScalarType.Float32);
        _upInput = new ConformerInput(reader, "encoder.up_embed.out", _dim, _dim);
        _upLayers = Layers("up_encoders", conformer.UpBlocks);
        _norm = reader.Take("encoder.after_norm.weight", _dim).DetachFromDisposeScope();
        _normBias = reader.Take("encoder.after_norm.bias", _dim).DetachFromDisposeScope();
        _project = Linear.Create(reader.Take("encoder_proj.weight", config.MelBands, _dim), reader.Take("encoder_proj.bias", config.MelBands),
            ScalarType.Float32);
    }

    public int FramesPerToken => Rate;

    public int Lookahead => _lookahead.Lookahead;

    public IReadOnlyList<(Tensor Mu, FlowTail Tail)> Encode(IReadOnlyList<FlowTokens> rows) => [.. rows.Select(row =>
    {
        _embedding.Check(row);
        using var places = Arrange(row);
        var (encoded, tail) = Encode(_embedding.Apply(places.Ids), places);
        return (_project.Apply(encoded), tail);
    })];

    /// <summary>Encodes an utterance's embedded tokens: [n, Input] -> [Rate m, Dim], see <see cref="IFlowEncoder.Encode"/>.</summary>
    /// <param name="embedded">The tokens.</param>
    /// <param name="places">Where they go, by <see cref="Arrange"/>.</param>
    public (Tensor Encoded, FlowTail Tail) Encode(Tensor embedded, LookaheadRows places)
    {
        var (_, final, streaming, tail) = places.Utterances[0];
        List<Tensor> tails = [];
        var (x, ahead) = _lookahead.Encode(Embed(embedded), places);
        tails.Add(ahead[0]);
        var past = tail is null ? 0 : tail[FixedTails].shape[0];
        var keysValues = Run(_layers, x, tail, FixedTails, past, streaming ? _chunkTokens : 0);

        x = x.repeat_interleave(Rate, 0); // [m, Dim] -> [Rate m, Dim]
        x = cat([tail?[1] ?? zeros([UpTail, _dim], x.dtype, x.device), x], 0);
        tails.Add(x.narrow(0, x.shape[0] - UpTail, UpTail).clone());
        x = _upInput.Apply(_upConv.Apply(PreLookaheadLayer.Windows(x, UpTail + 1)));
        keysValues.AddRange(Run(_upLayers, x, tail, FixedTails + _layers.Length, past * Rate, streaming ? _chunkTokens * Rate : 0));
        x = F.layer_norm(x, [_dim], _norm, _normBias, ConformerInput.NormEps);
        // Only a chunk-causal pass can be followed by another one.
        return (x, streaming && !final ? new FlowTail([.. tails, .. keysValues]) : new FlowTail());
    }

    /// <inheritdoc cref="PreLookaheadLayer.Arrange"/>
    public LookaheadRows Arrange(FlowTokens row) => _lookahead.Arrange([row]);

    /// <summary>The layers' input: [n, Input] -> [n, Dim].</summary>
    public Tensor Embed(Tensor embedded) => _input.Apply(embedded);

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[_embedding, _input, _lookahead, .. _layers, _upConv, _upInput, .. _upLayers, _norm, _normBias, _project])
            part.Dispose();
    }

    private List<Tensor> Run(ConformerLayer[] layers, Tensor x, FlowTail? tail, int slot, long past, int chunk)
    {
        var positions = Positions(past + x.shape[0] - 1, 1 - x.shape[0], x.device);
        return [.. layers.Select((layer, i) => layer.Run(x, tail?[slot + i], positions, chunk))];
    }

    /// <summary>Sinusoids of distances, the largest first (reference: EspnetRelPositionalEncoding). -> [first - last + 1, Dim]</summary>
    private Tensor Positions(long first, long last, Device device)
    {
        var frequencies = exp(Scalars.Range(0, _dim / 2, device).mul_(Scalars.Of(2L)).mul_(Scalars.Of(-(Math.Log(10000) / _dim))));
        var angles = Scalars.Range(last, first + 1, device).flip(0).unsqueeze(1) * frequencies; // in 32 bits as in the reference
        return stack([angles.sin(), angles.cos()], 2).flatten(1);
    }
}
