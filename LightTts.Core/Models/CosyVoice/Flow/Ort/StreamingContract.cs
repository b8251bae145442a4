namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>Inputs and outputs of the estimator that LightTts exports: for whole utterances and for chunks of streamed ones. n frames behind P pages
/// of earlier ones; row 0 of guidance is conditional, row 1 unconditional, and made of the same inputs.</summary>
internal static class StreamingContract
{
    /// <summary>The file in a model directory.</summary>
    public const string FileName = "flow.decoder.estimator.streaming.fp32.onnx";

    /// <summary>The noisy mel, [n, MelBands].</summary>
    public const string X = "x";

    /// <summary>The encoding, [n, MelBands].</summary>
    public const string Mu = "mu";

    /// <summary>The solver's time, [1].</summary>
    public const string Time = "t";

    /// <summary>The speaker as the estimator takes it, [1, MelBands].</summary>
    public const string Speaker = "spks";

    /// <summary>The prompt's mel, [n, MelBands].</summary>
    public const string Condition = "cond";

    /// <summary>Frames in a chunk of the mask, [1] of 64-bit integers: a frame sees all before the end of its own chunk. As many as there
    /// are frames, or more: every frame sees every other.</summary>
    public const string Chunk = "chunk";

    /// <summary>Keys and values of earlier frames as they lie in pages: [P, Layers, 2 (keys, values), 2 (guidance), Heads, Frames,
    /// HeadDim].</summary>
    public const string Past = "past";

    /// <summary>Velocities, [2, n, MelBands].</summary>
    public const string Velocity = "velocity";

    /// <summary>Keys and values of these frames, [Layers, 2, 2, Heads, n, HeadDim].</summary>
    public const string Present = "present";

    /// <summary>Note of the weights that the file was made of, see <see cref="WeightsMark"/>.</summary>
    public const string WeightsNote = "lighttts.weights";

    /// <summary>Left context of a convolution, zeros before the first frame.</summary>
    public static string Tail(int convolution) => $"tail_{convolution}";

    /// <summary>The same behind these frames.</summary>
    public static string NextTail(int convolution) => $"next_tail_{convolution}";
}
