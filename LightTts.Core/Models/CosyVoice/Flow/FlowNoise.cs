using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>The fixed noise that every utterance starts from, indexed by absolute frame with the prompt's frames counted.</summary>
/// <remarks>CausalConditionalCFM draws it once with seed 0: torch.manual_seed(0); torch.randn(1, 80, 15000).</remarks>
internal static class FlowNoise
{
    /// <summary>Frames in the table: 300 s.</summary>
    public const int Frames = 50 * 300;

    /// <summary>Makes the table, time-major: [Frames, bands].</summary>
    public static Tensor Create(int bands, Device device)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(0, CPU); // its own, so that the process-wide generator stays as it is
        var table = randn(1, bands, Frames, generator: generator);
        return table[0].t().contiguous().to(device).DetachFromDisposeScope(); // [1, bands, Frames] -> [Frames, bands]
    }
}
