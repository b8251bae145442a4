using LightTts.Cuda;
using LightTts.Models.CosyVoice.Language;
using LightTts.Models.CosyVoice.Language.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Benchmarks.Stages;

/// <summary>Times of the language model's own kernels, each kind alone: all its launches of a step, captured, one after the other.</summary>
internal sealed class KernelMeasures(CudaLanguageEngine engine, double seconds)
{
    private readonly CudaLanguageLayers _layers = engine.Layers;

    /// <summary>Microseconds of a launch in a step of so many rows, of each kind of kernel.</summary>
    public IEnumerable<(string Kernel, int Launches, Series Microseconds)> Step(int rows, int positions)
    {
        using var inference = inference_mode(true);
        var blocks = (positions + KvBlockPool.BlockSize) / KvBlockPool.BlockSize;
        var layout = new StepLayout(rows, rows, rows, blocks);
        using var host = new PinnedMemory(layout.Bytes);
        using var device = new DeviceMemory(layout.Bytes, _layers.Device);
        using var tokens = new DrawnTokens(_layers.Device);
        using var memory = _layers.CreateMemory(rows, rows);
        var stream = CudaStream.CurrentHandle(_layers.Device.index)!.Value;
        for (var row = 0; row < rows; row++)
        {
            host.Part<int>(layout.Positions, rows)[row] = positions - 1;
            host.Part<int>(layout.SequenceNumbers, rows)[row] = row;
            host.Part<int>(layout.Map, rows)[row] = row;
            host.Part<SamplingKernel.Draw>(layout.DrawsAt, rows)[row] = new SamplingKernel.Draw
            {
                ForbiddenFirst = 1, Allowed = -1, TopK = 25, TopP = 0.8f, Temperature = 1, RepetitionLimit = 1, Place = row,
                Follows = -1,
            };
            for (var block = 0; block < blocks; block++)
                host.Part<int>(layout.Tables, rows * blocks)[row * blocks + block] = row * blocks + block;
        }
        CudaDriver.CopyToDevice(device.Address, host.Address, layout.Bytes, stream);
        var inputs = device.Address;
        _layers.Embed(stream, inputs, layout, memory, tokens);
        CudaDriver.Synchronize(stream);

        Action<int> Of(Action<int> launch) => launch;
        foreach (var (kernel, launches, launch) in new[]
        {
            ("embed", 1, Of(_ => _layers.Embed(stream, inputs, layout, memory, tokens))),
            ("project", _layers.Layers, Of(i => _layers.Project(i, stream, inputs, layout, memory))),
            ("attend", _layers.Layers, Of(i => _layers.Attend(i, stream, inputs, layout, memory))),
            ("add attended", _layers.Layers, Of(i => _layers.AddAttended(i, stream, layout, memory))),
            ("gate", _layers.Layers, Of(i => _layers.Gate(i, stream, layout, memory))),
            ("add gated", _layers.Layers, Of(i => _layers.AddGated(i, stream, layout, memory))),
            ("head", 1, Of(_ => _layers.Score(stream, inputs, layout, memory))),
            ("draw", 1, Of(_ => _layers.Draw(stream, inputs, layout, memory, tokens))),
        })
            yield return (kernel, launches, CapturedLaunches.Time(stream, launches, seconds, launch));
    }
}
