using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Rows of the embedding table as the residual stream (embedding.cu).</summary>
/// <remarks>inputs [rows] -> x [rows, hidden] in 32 bits; x * norm for the first product; sums of squares [rows, hidden / 16].
/// Floor: rows * hidden * 10 bytes, nothing beside the launch.</remarks>
internal sealed class EmbeddingKernel(CudaModule module, TransformerShape shape)
{
    private readonly CudaKernel _embed = module.Kernel("embed");

    public void Launch(nint stream, int rows, nint inputs, nint table, nint norm, in ResidualStream x) =>
        _embed.Launch(stream, (rows, 1, 1), (shape.Hidden / 2 + 31) / 32 * 32, 0, afterKernel: false, inputs, table, norm, x.Values, x.Normed,
            x.Squares);
}
