using System.Runtime.InteropServices;
using LightTts.Cuda;
using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>The language model on a CUDA device in own kernels: steps that only decode are one graph for each bucket of rows, steps with prompts are
/// the same kernels launched one by one over packed rows; tokens are drawn on the device, and they are all that comes back.</summary>
/// <remarks>A row's numbers do not depend on what else is in its step, to the bit. Two steps may be under way: the second one feeds what the first
/// draws, and as it comes after it on the stream, it may also take pages that the first one still writes to.</remarks>
internal sealed unsafe class CudaLanguageEngine : ILanguageEngine
{
    private readonly CudaLanguageLayers _layers;
    private readonly CudaDecodeGraphs _graphs;
    private readonly HostSampler _host;
    private readonly DrawTable _draws;
    private readonly DrawnTokens _drawn;
    private readonly int _logits;
    private readonly int _device;
    private readonly LaunchedStep[] _steps = [new(0), new(1)]; // take turns
    private readonly Queue<LaunchedStep> _underWay = new(2);
    private StepInputs? _inputs;
    private StepMemory? _memory;
    private PinnedMemory? _hostLogits;
    private int _turn;

    private CudaLanguageEngine(LanguageModelConfig config, LanguageWeights weights, TorchDevice device, int kvBlocks, CudaModule module)
    {
        _device = device.Device.index;
        _layers = new CudaLanguageLayers(config, weights, device, kvBlocks, module);
        _graphs = new CudaDecodeGraphs(_layers);
        _host = new HostSampler(config);
        _draws = new DrawTable(config);
        _drawn = new DrawnTokens(device.Device);
        _logits = LanguageVocabulary.LogitCount(config);
    }

    /// <summary>An engine, where this device, driver and libtorch allow one.</summary>
    /// <param name="config">The model's sizes.</param>
    /// <param name="device">Where it is to run.</param>
    /// <param name="kvBlocks">Blocks of the KV cache.</param>
    /// <param name="load">Reads the weights into main memory, in the device's types; called only where an engine comes of it.</param>
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
        _graphs.Prepare(maxRows, _drawn);
    }

    // Where the host draws, it is to see the logits first.
    public bool CanFollow => _underWay.Count == 1 && _underWay.Peek().Draws;

    public void Launch(LanguageBatch batch, ReadOnlySpan<TokenDraw> draws)
    {
        var stream = CudaStream.CurrentHandle(_device)
            ?? throw new InvalidOperationException("The calling thread's stream is not known.");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(draws.Length, DrawnTokens.Capacity);
        _host.Expect(draws);
        var step = _steps[_turn];
        step.Batch = batch;
        step.Count = draws.Length;
        step.Draws = _draws.Fit(draws);
        var graph = step.Draws && batch.Count == batch.Sequences.Count ? _graphs.Find(batch) : null;
        step.IsPerRow = graph is not null;
        if (graph is not null)
        {
            step.Memory = graph.Memory;
            Stage(step, draws, graph.Layout, graph.Inputs);
            graph.Inputs.Copy(_turn, graph.Layout, stream);
            graph.Graph.Replay();
        }
        else
        {
            LaunchEach(step, stream, draws);
        }
        step.Done.Record(stream);
        _underWay.Enqueue(step);
        _turn = 1 - _turn;
    }

    public void Collect(Span<int> tokens)
    {
        var step = _underWay.Dequeue();
        if (!step.Draws)
        {
            BringLogits(step);
            _host.Draw(tokens);
            return;
        }
        step.Done.Wait();
        for (var i = 0; i < step.Count; i++)
            tokens[i] = _drawn[step.Place(i)];
    }

    public ReadOnlySpan<float> CollectLogits()
    {
        BringLogits(_underWay.Dequeue());
        return _host.Logits;
    }

    public void Dispose()
    {
        foreach (var step in _underWay)
            try
            {
                step.Done.Wait(); // it writes to memory that is about to go
            }
            catch (ExternalException)
            {
                // The device is lost.
            }
        _graphs.Dispose();
        _layers.Dispose();
        foreach (var step in _steps)
            step.Done.Dispose();
        foreach (var memory in (IDisposable?[])[_inputs, _hostLogits, _drawn, _memory])
            memory?.Dispose();
    }

    /// <summary>Waits for a step, and brings the logits to where the host draws.</summary>
    private void BringLogits(LaunchedStep step)
    {
        var stream = CudaStream.CurrentHandle(_device)!.Value;
        var width = (long)_logits * sizeof(float);
        Grow(ref _hostLogits, step.Count * width);
        for (var i = 0; i < step.Count; i++)
            CudaDriver.CopyToHost(_hostLogits.Address + (nint)(i * width), step.Memory!.Logits + (nint)(step.Row(i) * width), width, stream);
        CudaDriver.Synchronize(stream);
        new ReadOnlySpan<float>(_hostLogits.Pointer, _host.Logits.Length).CopyTo(_host.Logits);
    }

    /// <summary>A step as it comes, kernel by kernel.</summary>
    private void LaunchEach(LaunchedStep step, nint stream, ReadOnlySpan<TokenDraw> draws)
    {
        var batch = step.Batch!;
        var blocks = 0;
        foreach (var (state, _, _, _) in batch.Sequences)
            blocks = Math.Max(blocks, state.BlockNumbers.Length);
        var layout = new StepLayout(batch.Count, batch.Sequences.Count, draws.Length, blocks);
        using (inference_mode(true))
        {
            if (_inputs is null || _inputs.Bytes < layout.Bytes)
            {
                CudaDriver.Synchronize(stream); // the step before may not have its inputs yet
                _inputs?.Dispose();
                _inputs = null; // there may be no memory for another
                _inputs = new StepInputs(Room(layout.Bytes), _layers.Device);
            }
            if (_memory is null || !_memory.Holds(layout))
            {
                var (rows, wide) = (_memory?.Rows ?? 0, _memory?.Draws ?? 0);
                _memory?.Dispose();
                _memory = null;
                _memory = _layers.CreateMemory(Room(layout.Rows, rows), Room(layout.Draws, wide));
            }
        }
        step.Memory = _memory;
        Stage(step, draws, layout, _inputs);
        _inputs.Copy(_turn, layout, stream);
        _layers.Run(stream, _inputs.Address, layout, _memory, _drawn, step.Draws);
    }

    /// <summary>Writes a step's inputs. Where there are more rows than the batch has, they are without a position.</summary>
    private void Stage(LaunchedStep step, ReadOnlySpan<TokenDraw> draws, in StepLayout layout, StepInputs target)
    {
        var batch = step.Batch!;
        var memory = target.Host(_turn);
        var inputs = memory.Part<int>(layout.Inputs, layout.Rows);
        var positions = memory.Part<int>(layout.Positions, layout.Rows);
        for (var row = 0; row < batch.Count; row++)
            inputs[row] = Followed(batch, row) is >= 0 and var place ? ~place
                : batch.Inputs[row] >= 0 ? batch.Inputs[row] : _layers.TextVocabulary + ~batch.Inputs[row];
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
        for (var row = 0; step.IsPerRow && row < layout.Rows; row++)
        {
            map[row] = row;
            DrawTable.WriteAny(ref table[row], step.PlaceOfRow(row)); // what lies there is of a step of another shape
        }
        for (var i = 0; i < draws.Length; i++)
        {
            var row = batch.LogitRows[i];
            if (!step.IsPerRow)
                map[i] = row;
            if (step.Draws)
                _draws.Write(draws[i], step.Place(i), Followed(batch, row), ref table[step.Row(i)]);
        }
    }

    /// <summary>Where the token lies that a row of the batch feeds; -1 where it is known.</summary>
    private int Followed(LanguageBatch batch, int row) => batch.Follows[row] is >= 0 and var draw ? _underWay.Peek().Place(draw) : -1;

    private static int Room(int wanted, int had) => wanted <= had ? had : (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)wanted);

    private static long Room(long bytes) => (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(4096, bytes));

    private static void Grow([System.Diagnostics.CodeAnalysis.NotNull] ref PinnedMemory? memory, long bytes)
    {
        if (memory is not null && memory.Bytes >= bytes)
            return;
        memory?.Dispose();
        memory = null; // as above
        memory = new PinnedMemory(Room(bytes));
    }

    /// <summary>A step under way.</summary>
    /// <param name="turn">Which of the halves of memory that steps share are its own.</param>
    private sealed class LaunchedStep(int turn)
    {
        public CudaEvent Done { get; } = new();

        public LanguageBatch? Batch { get; set; }

        public StepMemory? Memory { get; set; }

        /// <summary>Tokens that are wanted.</summary>
        public int Count { get; set; }

        /// <summary>Whether the device draws them.</summary>
        public bool Draws { get; set; }

        /// <summary>Whether there is a draw for every row, in the rows' order.</summary>
        public bool IsPerRow { get; set; }

        /// <summary>Where a draw's logits lie.</summary>
        public int Row(int draw) => IsPerRow ? Batch!.LogitRows[draw] : draw;

        /// <summary>Where a draw's token goes.</summary>
        public int Place(int draw) => PlaceOfRow(Row(draw));

        public int PlaceOfRow(int row) => turn * DrawnTokens.Capacity + row;
    }
}
