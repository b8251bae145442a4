using System.Runtime.InteropServices;
using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Torch;

/// <summary>The language model in libtorch operations: for CUDA devices, and the plain statement of the maths to which others are held.</summary>
/// <remarks>Steps that only decode and steps with prompts in them are two ways through the same layers; both draw on the host.</remarks>
internal sealed class TorchLanguageEngine : ILanguageEngine
{
    private readonly TorchLanguageLayers _layers;
    private readonly TorchDecodeSteps _decode;
    private readonly TorchPromptStep _prompt;
    private readonly HostSampler _sampler;

    // The step that was launched: in buffers of its own, or, with prompts in it, its logits alone.
    private LanguageBatch? _batch;
    private LanguageStepBuffers? _step;
    private Tensor? _logits;

    public TorchLanguageEngine(LanguageModelConfig config, LanguageWeights weights, TorchDevice device, int kvBlocks)
    {
        using var inference = inference_mode(true);
        _layers = new TorchLanguageLayers(config, weights, device, kvBlocks);
        _decode = new TorchDecodeSteps(_layers);
        _prompt = new TorchPromptStep(_layers);
        _sampler = new HostSampler(config);
    }

    public void Prepare(int maxRows) => _decode.Prepare(maxRows);

    public void Launch(LanguageBatch batch, ReadOnlySpan<TokenDraw> draws)
    {
        using var inference = inference_mode(true);
        using var scope = NewDisposeScope();
        Forget();
        _sampler.Expect(draws);
        _batch = batch;
        if (batch.Count == batch.Sequences.Count)
            _step = _decode.Launch(batch);
        else
            _logits = _prompt.Launch(batch)?.DetachFromDisposeScope();
    }

    public void Collect(Span<int> tokens)
    {
        CollectLogits();
        _sampler.Draw(tokens);
    }

    public ReadOnlySpan<float> CollectLogits()
    {
        using var inference = inference_mode(true);
        var logits = _sampler.Logits;
        if (_step is { } step)
        {
            var all = step.Receive();
            var rows = _batch!.LogitRows;
            var width = logits.Length / Math.Max(1, rows.Count);
            for (var i = 0; i < rows.Count; i++)
                all.Slice(rows[i] * width, width).CopyTo(logits[(i * width)..]);
        }
        else if (_logits is { } head)
        {
            using var host = head.to(CPU).contiguous();
            MemoryMarshal.Cast<byte, float>(host.bytes).CopyTo(logits);
        }
        Forget();
        return logits;
    }

    public void Dispose()
    {
        Forget();
        _decode.Dispose();
        _layers.Dispose();
    }

    /// <summary>Lets go of the step that was launched last.</summary>
    private void Forget()
    {
        _logits?.Dispose();
        (_logits, _step, _batch) = (null, null, null);
    }
}
