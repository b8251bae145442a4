using LightTts.Cuda;
using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>The language model on a CUDA device in own kernels: steps that only decode are one graph for each bucket of rows, steps with prompts are
/// the same kernels launched one by one over packed rows; tokens are drawn on the device, and they are all that comes back.</summary>
/// <remarks>A row's numbers do not depend on what else is in its step, to the bit.</remarks>
internal sealed unsafe class CudaLanguageEngine : ILanguageEngine
{
    private readonly CudaLanguageLayers _layers;
    private readonly CudaDecodeGraphs _graphs;
    private readonly HostSampler _host;
    private readonly DrawTable _draws;
    private readonly int _logits;
    private readonly int _device;
    private PinnedMemory? _hostInputs;
    private DeviceMemory? _deviceInputs;
    private PinnedMemory? _hostLogits;
    private PinnedMemory? _tokens;
    private StepMemory? _memory;

    // The step under way.
    private LanguageBatch? _batch;
    private StepMemory? _stepMemory;
    private PinnedMemory? _stepTokens;
    private bool _drawn;
    private bool _perRow; // a draw for every row, in the rows' order
    private int _count;

    private CudaLanguageEngine(LanguageModelConfig config, LanguageWeights weights, TorchDevice device, int kvBlocks, CudaModule module)
    {
        _device = device.Device.index;
        _layers = new CudaLanguageLayers(config, weights, device, kvBlocks, module);
        _graphs = new CudaDecodeGraphs(_layers);
        _host = new HostSampler(config);
        _draws = new DrawTable(config);
        _logits = LanguageVocabulary.LogitCount(config);
    }

    /// <summary>An engine, where this device, driver and libtorch allow one.</summary>
    /// <param name="config">The model's sizes.</param>
    /// <param name="device">Where it is to run.</param>
    /// <param name="kvBlocks">Blocks of the KV cache.</param>
    /// <param name="load">Reads the weights; called only where an engine comes of it.</param>
    /// <param name="fault">Why there is none.</param>
    public static CudaLanguageEngine? TryCreate(LanguageModelConfig config, TorchDevice device, int kvBlocks, Func<LanguageWeights> load,
        out string? fault)
    {
        fault = !device.IsCuda ? "not a CUDA device"
            : !CudaDriver.IsSupported ? "the driver is older than CUDA 11.8's"
            : !CudaStream.IsSupported || !DeviceAddress.IsSupported ? "this libtorch does not say where tensors and streams lie"
            : CudaLanguageLayers.Shape(config, device).Fault;
        if (fault is not null)
            return null;
        CudaStream.UseDevice(device.Device.index);
        if (CudaDriver.ComputeCapability(device.Device.index) < 80)
            fault = "the card is older than compute capability 8.0";
        else if (KernelCompiler.TryLoad(TorchRuntime.LibtorchFolder) is not { } compiler)
            fault = "there is no NVRTC (libnvrtc), which a CUDA libtorch brings";
        else
            try
            {
                var module = CudaModule.Load(["tiles.cuh", "matrix.cuh", "matrix.cu", "matrix_wide.cu", "embedding.cu", "attention.cu",
                        "attention_single.cu", "nucleus.cu", "sampling.cu", "prompt.cu"],
                    CudaLanguageLayers.Shape(config, device).Definitions, compiler, TorchRuntime.CacheFolder("kernels"));
                using var inference = inference_mode(true);
                return new CudaLanguageEngine(config, load(), device, kvBlocks, module);
            }
            catch (InvalidOperationException e)
            {
                fault = e.Message;
            }
        return null;
    }

    /// <summary>The layers, for whoever asks what each part of a step costs.</summary>
    internal CudaLanguageLayers Layers => _layers;

    public void Prepare(int maxRows)
    {
        using var inference = inference_mode(true);
        _graphs.Prepare(maxRows);
    }

    public void Launch(LanguageBatch batch, ReadOnlySpan<TokenDraw> draws)
    {
        var stream = CudaStream.CurrentHandle(_device)
            ?? throw new InvalidOperationException("The calling thread's stream is not known.");
        _host.Expect(draws);
        _batch = batch;
        _count = draws.Length;
        _drawn = _draws.Fit(draws);
        if (_drawn && batch.Count == batch.Sequences.Count && _graphs.Find(batch) is { } graph)
        {
            Stage(batch, draws, graph.Layout, graph.Inputs, perRow: true);
            graph.Replay();
            (_stepMemory, _stepTokens, _perRow) = (graph.Memory, graph.Tokens, true);
            return;
        }
        LaunchEach(stream, batch, draws);
    }

    public void Collect(Span<int> tokens)
    {
        if (!_drawn)
        {
            CollectLogits();
            _host.Draw(tokens);
            return;
        }
        Wait();
        for (var i = 0; i < _count; i++)
            tokens[i] = ((int*)_stepTokens!.Pointer)[Place(i)];
    }

    public ReadOnlySpan<float> CollectLogits()
    {
        var logits = _host.Logits;
        if (_count == 0)
            return logits;
        var stream = CudaStream.CurrentHandle(_device)!.Value;
        var width = (long)_logits * sizeof(float);
        Grow(ref _hostLogits, _count * width);
        for (var i = 0; i < _count; i++)
            CudaDriver.CopyToHost(_hostLogits.Address + (nint)(i * width), _stepMemory!.Logits + (nint)(Place(i) * width), width, stream);
        Wait();
        new ReadOnlySpan<float>(_hostLogits.Pointer, logits.Length).CopyTo(logits);
        return logits;
    }

    public void Dispose()
    {
        _graphs.Dispose();
        _layers.Dispose();
        foreach (var memory in (IDisposable?[])[_hostInputs, _deviceInputs, _hostLogits, _tokens, _memory])
            memory?.Dispose();
    }

    /// <summary>A step as it comes, kernel by kernel.</summary>
    private void LaunchEach(nint stream, LanguageBatch batch, ReadOnlySpan<TokenDraw> draws)
    {
        var blocks = 0;
        foreach (var (state, _, _, _) in batch.Sequences)
            blocks = Math.Max(blocks, state.BlockNumbers.Length);
        var layout = new StepLayout(batch.Count, batch.Sequences.Count, draws.Length, blocks);
        using (inference_mode(true))
        {
            Grow(ref _hostInputs, layout.Bytes);
            Grow(ref _tokens, layout.Draws * sizeof(int));
            if (_deviceInputs is null || _deviceInputs.Bytes < _hostInputs.Bytes)
            {
                _deviceInputs?.Dispose();
                _deviceInputs = null; // there may be no memory for another
                _deviceInputs = new DeviceMemory(_hostInputs.Bytes, _layers.Device);
            }
            if (_memory is null || !_memory.Holds(layout))
            {
                var (rows, wide) = (_memory?.Rows ?? 0, _memory?.Draws ?? 0);
                _memory?.Dispose();
                _memory = null;
                _memory = _layers.CreateMemory(Room(layout.Rows, rows), Room(layout.Draws, wide));
            }
        }
        Stage(batch, draws, layout, _hostInputs, perRow: false);
        CudaDriver.CopyToDevice(_deviceInputs.Address, _hostInputs.Address, layout.Bytes, stream);
        _layers.Run(stream, _deviceInputs.Address, layout, _memory, _drawn ? _tokens.Address : null);
        (_stepMemory, _stepTokens, _perRow) = (_memory, _tokens, false);
    }

    /// <summary>Writes a step's inputs. Where there are more rows than the batch has, they are without a position.</summary>
    private void Stage(LanguageBatch batch, ReadOnlySpan<TokenDraw> draws, in StepLayout layout, PinnedMemory memory, bool perRow)
    {
        var inputs = memory.Part<int>(layout.Inputs, layout.Rows);
        var positions = memory.Part<int>(layout.Positions, layout.Rows);
        for (var row = 0; row < batch.Count; row++)
            inputs[row] = batch.Inputs[row] >= 0 ? batch.Inputs[row] : _layers.TextVocabulary + ~batch.Inputs[row];
        batch.Positions.CopyTo(positions);
        inputs[batch.Count..].Clear();
        positions[batch.Count..].Fill(-1);

        var numbers = memory.Part<int>(layout.SequenceNumbers, layout.Rows);
        numbers[batch.Count..].Clear();
        for (var i = 0; i < batch.Sequences.Count; i++)
        {
            var (state, start, count, _) = batch.Sequences[i];
            numbers.Slice(start, count).Fill(i);
            state.BlockNumbers.CopyTo(memory.Part<int>(layout.Tables + i * layout.TableBlocks * sizeof(int), layout.TableBlocks));
        }

        var map = memory.Part<int>(layout.Map, layout.Draws);
        var table = memory.Part<SamplingKernel.Draw>(layout.DrawsAt, layout.Draws);
        for (var row = 0; perRow && row < layout.Rows; row++)
        {
            map[row] = row;
            DrawTable.WriteAny(ref table[row]); // what lies there is of a step of another shape
        }
        for (var i = 0; i < draws.Length; i++)
        {
            var row = batch.LogitRows[i];
            if (!perRow)
                map[i] = row;
            if (_drawn)
                _draws.Write(draws[i], ref table[perRow ? row : i]);
        }
    }

    /// <summary>Where a draw's result lies.</summary>
    private int Place(int draw) => _perRow ? _batch!.LogitRows[draw] : draw;

    private void Wait() => CudaDriver.Synchronize(CudaStream.CurrentHandle(_device)!.Value);

    private static int Room(int wanted, int had) => wanted <= had ? had : (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)wanted);

    private static void Grow([System.Diagnostics.CodeAnalysis.NotNull] ref PinnedMemory? memory, long bytes)
    {
        if (memory is not null && memory.Bytes >= bytes)
            return;
        memory?.Dispose();
        memory = null; // as above
        memory = new PinnedMemory((long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(4096, bytes)));
    }
}
