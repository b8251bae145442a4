using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language;

/// <summary>The language model's tensors: a Qwen2 trunk between the embeddings and CosyVoice's speech head.</summary>
internal sealed record LanguageWeights : IDisposable
{
    /// <summary>[text vocabulary, hidden]; nothing where <see cref="TextRows"/> has it.</summary>
    public required Tensor TextEmbedding { get; init; }

    /// <summary>The same where it lies in its file; null where it was taken.</summary>
    public MappedRows? TextRows { get; init; }

    /// <summary>[logits (+ rows of their own), hidden]: speech tokens, steering tokens,
    /// then the table of their own that CosyVoice2 keeps sos and task in.</summary>
    public required Tensor SpeechEmbedding { get; init; }

    public required IReadOnlyList<LanguageLayer> Layers { get; init; }

    /// <summary>[hidden].</summary>
    public required Tensor Norm { get; init; }

    /// <summary>[hidden -> logits], with a bias in CosyVoice2.</summary>
    public required Linear Head { get; init; }

    /// <summary>Reads llm.pt.</summary>
    /// <param name="archive">The checkpoint.</param>
    /// <param name="config">The shapes to expect.</param>
    /// <param name="device">Where the tensors go; the matrices are kept as its <see cref="TorchDevice.Compute"/>.</param>
    /// <param name="matrix">Makes a layer of weights and bias, as the engine wants it; null: <see cref="TorchLinear"/>.</param>
    /// <param name="head">Makes the last one; null: as the others.</param>
    /// <param name="record">Told what was taken.</param>
    /// <param name="mapText">Leaves the text embedding in its file where it can.</param>
    /// <exception cref="TtsModelLoadException">Tensors are missing or have other shapes.</exception>
    public static LanguageWeights Load(ITensorArchive archive, LanguageModelConfig config, TorchDevice device,
        Func<Tensor, Tensor?, Linear>? matrix = null, Func<Tensor, Tensor?, Linear>? head = null, ProductRecord? record = null, bool mapText = false)
    {
        matrix ??= (weight, bias) => new TorchLinear(weight, bias, device.Compute);
        using var noGradients = torch.inference_mode(true);
        var reader = new WeightReader(archive, device, record: record);
        int hidden = config.HiddenSize, logits = LanguageVocabulary.LogitCount(config);
        var rows = config.Rows;
        var speech = reader.Take("speech_embedding.weight", logits, hidden);
        const string text = "llm.model.model.embed_tokens.weight";
        var textRows = mapText ? reader.Map(text, config.TextVocabulary, hidden, MappedRows.Of) : null;
        var weights = new LanguageWeights
        {
            TextRows = textRows,
            TextEmbedding = textRows is null ? reader.Take(text, config.TextVocabulary, hidden) : empty([0, hidden]),
            SpeechEmbedding = rows.OwnTable > 0 ? Join(speech, reader.Take("llm_embedding.weight", rows.OwnTable, hidden)) : speech,
            Layers = [.. Enumerable.Range(0, config.Layers).Select(layer =>
                LanguageLayer.Read(reader, $"llm.model.model.layers.{layer}.", config, matrix))],
            Norm = reader.Take("llm.model.model.norm.weight", hidden),
            Head = (head ?? matrix)(reader.Take("llm_decoder.weight", device.Compute, logits, hidden),
                rows.HeadBias ? reader.Take("llm_decoder.bias", device.Compute, logits) : null),
        };
        reader.Ignore(key => key == "llm.model.lm_head.weight"); // the text head, which speech does not need
        try
        {
            reader.Complete();
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Concatenates along the first dimension and disposes the parts.</summary>
    internal static Tensor Join(params Tensor[] parts)
    {
        var joined = cat(parts, 0);
        foreach (var part in parts)
            part.Dispose();
        return joined;
    }

    public void Dispose()
    {
        TextEmbedding.Dispose();
        TextRows?.Dispose();
        SpeechEmbedding.Dispose();
        Norm.Dispose();
        Head.Dispose();
        foreach (var layer in Layers)
            layer.Dispose();
    }
}

/// <summary>One transformer layer; q, k and v, and gate and up, are each one matrix.</summary>
internal sealed record LanguageLayer : IDisposable
{
    /// <summary>[hidden].</summary>
    public required Tensor AttentionNorm { get; init; }

    /// <summary>[hidden -> (heads + 2 kv heads) * head size]; q and k are in rotation order, see <see cref="Interleave"/>.</summary>
    public required Linear Qkv { get; init; }

    /// <summary>[heads * head size -> hidden].</summary>
    public required Linear Output { get; init; }

    /// <summary>[hidden].</summary>
    public required Tensor FeedForwardNorm { get; init; }

    /// <summary>[hidden -> 2 intermediate]: gate, then up.</summary>
    public required Linear GateUp { get; init; }

    /// <summary>[intermediate -> hidden].</summary>
    public required Linear Down { get; init; }

    public static LanguageLayer Read(WeightReader reader, string prefix, LanguageModelConfig config, Func<Tensor, Tensor?, Linear> matrix)
    {
        int hidden = config.HiddenSize, headDim = config.HeadDim, kv = config.KvHeads * headDim, q = config.Heads * headDim,
            inner = config.IntermediateSize;
        var type = reader.Device.Compute;
        return new LanguageLayer
        {
            AttentionNorm = reader.Take(prefix + "input_layernorm.weight", hidden),
            Qkv = reader.Product(prefix + "self_attn.qkv", q + 2 * kv, hidden, () => matrix(
                LanguageWeights.Join(
                    Interleave(reader.Take(prefix + "self_attn.q_proj.weight", type, q, hidden), headDim),
                    Interleave(reader.Take(prefix + "self_attn.k_proj.weight", type, kv, hidden), headDim),
                    reader.Take(prefix + "self_attn.v_proj.weight", type, kv, hidden)),
                LanguageWeights.Join(
                    Interleave(reader.Take(prefix + "self_attn.q_proj.bias", type, q), headDim),
                    Interleave(reader.Take(prefix + "self_attn.k_proj.bias", type, kv), headDim),
                    reader.Take(prefix + "self_attn.v_proj.bias", type, kv))), fine: true),
            Output = reader.Product(prefix + "self_attn.out", hidden, q, () =>
                matrix(reader.Take(prefix + "self_attn.o_proj.weight", type, hidden, q), null), fine: true),
            FeedForwardNorm = reader.Take(prefix + "post_attention_layernorm.weight", hidden),
            GateUp = reader.Product(prefix + "mlp.gate_up", 2 * inner, hidden, () => matrix(
                LanguageWeights.Join(
                    reader.Take(prefix + "mlp.gate_proj.weight", type, inner, hidden),
                    reader.Take(prefix + "mlp.up_proj.weight", type, inner, hidden)),
                null)),
            // Its inputs, products of two numbers, reach farthest: three quarters of what 8-bit numbers cost would come from here.
            Down = reader.Product(prefix + "mlp.down", hidden, inner, () =>
                matrix(reader.Take(prefix + "mlp.down_proj.weight", type, hidden, inner), null), fine: true),
        };
    }

    /// <summary>
    /// Puts the two numbers of a head that rotary embedding turns together (i and i +
    /// size / 2, "half-split") next to each other, so that a pair is one complex
    /// number. Queries and keys are permuted alike, so their products stay what they are.
    /// </summary>
    private static Tensor Interleave(Tensor weight, int headDim)
    {
        using (weight)
        {
            var shape = weight.shape;
            using var halves = weight.reshape(shape[0] / headDim, 2, headDim / 2, -1);
            using var pairs = halves.transpose(1, 2);
            return pairs.reshape(shape); // [heads, 2, half, in] -> [heads, half, 2, in]
        }
    }

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[AttentionNorm, Qkv, Output, FeedForwardNorm, GateUp, Down])
            part.Dispose();
    }
}
