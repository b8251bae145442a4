using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>Repetition-aware sampling on the device (sampling.cu).</summary>
/// <remarks>logits [rows, logits] in 32 bits -> tokens; -1 where a logit is not finite. Floor: a launch and a few of a block's
/// maximum.</remarks>
internal sealed class SamplingKernel(CudaModule module, TransformerShape shape)
{
    /// <summary>Candidates that a nucleus may have.</summary>
    public const int MaxTop = 64;

    /// <summary>Tokens of the past that a draw may look at.</summary>
    public const int MaxHistory = 32;

    private const int Threads = 512;

    private readonly CudaKernel _draw = module.Kernel("draw");

    /// <summary>Launches it.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="rows">How many.</param>
    /// <param name="logits">The logits.</param>
    /// <param name="draws">[rows] of <see cref="Draw"/>.</param>
    /// <param name="drawn">32-bit numbers on the device: what steps before drew, and where these tokens go, by their places.</param>
    /// <param name="tokens">Where they go, too: pinned memory.</param>
    public void Launch(nint stream, int rows, nint logits, nint draws, nint drawn, nint tokens) =>
        _draw.Launch(stream, (rows, 1, 1), Threads, 2 * shape.Logits * sizeof(float), afterKernel: true, logits, draws, drawn, tokens);

    /// <summary>How to draw, as the kernel reads it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Draw
    {
        public ulong Seed;
        public int Position;

        /// <summary>The ids that may not be drawn, but for the allowed one; none where the first is beyond the last.</summary>
        public int ForbiddenFirst;

        public int ForbiddenLast;
        public int Allowed;
        public int TopK;
        public float TopP;

        /// <summary>0: the most likely one, always.</summary>
        public float Temperature;

        public int HistoryCount;
        public double RepetitionLimit;

        /// <summary>Where the token goes.</summary>
        public int Place;

        /// <summary>Where the last of the history lies, which the step before drew; -1: it is in the history itself.</summary>
        public int Follows;

        public HistoryTokens History;
    }

    /// <summary>The last tokens.</summary>
    [InlineArray(MaxHistory)]
    public struct HistoryTokens
    {
        private int _first;
    }
}
