using LightTts.Models;
using LightTts.Models.CosyVoice.Language;
using LightTts.Tests.Support;
using LightTts.Torch;

namespace LightTts.Tests.Gpu;

/// <summary>Captured steps of the language model against the same steps computed as they come: the same kernels, so the same bits.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuLanguageGraphTests
{
    [Theory]
    [InlineData(1, 20)]
    [InlineData(3, 120)]
    [InlineData(16, 300)]
    [InlineData(30, 40)]
    public void Captured_steps_have_the_same_bits(int rows, int prompt)
    {
        var device = TestDevice.Get();
        var options = new LanguageModelOptions(1024, new LanguageLimits(32, 8192));
        using var eager = LanguageModels.Load("en", torch: true, options, device);
        using var captured = LanguageModels.Load("en", torch: true, options, device);
        using var thread = new TorchThread(1, 0).Enter(urgent: true);
        TorchSharp.torch.cuda.synchronize();
        captured.WarmUp();
        Assert.Equal(Run(eager, rows, prompt), Run(captured, rows, prompt));
    }

    /// <summary>Logits of some steps behind prompts of different lengths, over and across the captured lengths.</summary>
    private static float[][] Run(LanguageModel model, int rows, int prompt)
    {
        var states = Enumerable.Range(0, rows).Select(_ => model.CreateState()).ToArray();
        LanguageRow Row(int i, ReadOnlyMemory<int> inputs) => new() { State = states[i], Inputs = inputs, Draw = LanguageModels.AnyDraw };
        model.Forward([.. states.Select((_, i) => Row(i, Enumerable.Range(1, prompt + 7 * i).Select(id => id % 1000).ToArray()))]);
        List<float[]> logits = [];
        for (var step = 0; step < 12; step++)
            logits.Add(model.Forward([.. states.Select((_, i) => Row(i, new[] { ~((step * 31 + i) % 500) }))]).ToArray());
        foreach (var state in states)
            state.Dispose();
        return [.. logits];
    }
}
