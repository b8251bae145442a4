using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Rows of the embedding table as the residual stream (embedding.cu).</summary>
/// <remarks>inputs [rows], of which those below zero stand for tokens that were drawn and are not known to the host yet -> x [rows, hidden] in
/// 32 bits; x * norm for the first product; sums of squares [rows, hidden / 16].
/// Floor: rows * hidden * 10 bytes, nothing beside the launch.</remarks>
internal sealed class EmbeddingKernel(CudaModule module, TransformerShape shape)
{
    private readonly CudaKernel _embed = module.Kernel("embed");

    /// <summary>Launches it.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="rows">How many.</param>
    /// <param name="inputs">[rows] in the table, or the complement of where the token lies in <paramref name="drawn"/>.</param>
    /// <param name="drawn">Tokens that steps before drew.</param>
    /// <param name="speech">Where the tokens' rows begin in the table.</param>
    /// <param name="table">The table.</param>
    /// <param name="norm">The first product's norm.</param>
    /// <param name="x">What comes of it.</param>
    public void Launch(nint stream, int rows, nint inputs, nint drawn, int speech, nint table, nint norm, in ResidualStream x) =>
        _embed.Launch(stream, (rows, 1, 1), (shape.Hidden / 2 + 31) / 32 * 32, 0, afterKernel: false, inputs, drawn, CudaKernel.Argument(speech),
            table, norm, x.Values, x.Normed, x.Squares);
}
