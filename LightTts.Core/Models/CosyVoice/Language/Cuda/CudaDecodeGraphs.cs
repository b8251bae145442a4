using System.Runtime.InteropServices;
using LightTts.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>Decoding steps captured once for each bucket of rows, for sequences of ordinary and of great length.</summary>
internal sealed class CudaDecodeGraphs(CudaLanguageLayers layers) : IDisposable
{
    // Blocks of a sequence: 1,024 and 4,096 positions.
    private static readonly int[] TableChoices = [64, 256];

    private readonly List<DecodeGraph> _graphs = []; // by table, then by rows
    private StepInputs? _inputs;
    private StepMemory? _memory;

    /// <summary>The buckets of rows, in which all steps of up to so many rows fit.</summary>
    internal static IEnumerable<int> Buckets(int maxRows)
    {
        foreach (var rows in (int[])[1, 2, 4, 8, 16, 24, 32, 48, 64])
        {
            yield return rows;
            if (rows >= maxRows)
                yield break;
        }
        for (var rows = 96; ; rows += 32)
        {
            yield return rows;
            if (rows >= maxRows)
                yield break;
        }
    }

    /// <summary>Captures them, on the thread that will launch them; they share inputs and memory, as one runs after the other.</summary>
    /// <param name="maxRows">Sequences in a step at the most.</param>
    /// <param name="drawn">Where drawn tokens lie, and go.</param>
    public void Prepare(int maxRows, DrawnTokens drawn)
    {
        var device = layers.Device.index;
        if (_graphs.Count > 0 || !CudaGraph.CanCapture(device) || CudaStream.CurrentHandle(device) is not { } stream)
            return;
        var buckets = Buckets(maxRows).ToArray();
        var blocks = (layers.MaxPositions + KvBlockPool.BlockSize - 1) / KvBlockPool.BlockSize;
        var tables = TableChoices.Select(table => Math.Min(table, blocks)).Distinct().ToArray();
        var largest = new StepLayout(buckets[^1], buckets[^1], buckets[^1], tables[^1]);
        _inputs = new StepInputs(largest.Bytes, layers.Device);
        _memory = layers.CreateMemory(largest.Rows, largest.Draws);
        var pool = new CudaGraphPool();
        try
        {
            foreach (var table in tables)
                foreach (var rows in buckets)
                    _graphs.Add(Capture(stream, new StepLayout(rows, rows, rows, table), drawn, pool));
        }
        catch (ExternalException)
        {
            // The device has too little memory for more: such steps are launched kernel by kernel.
        }
    }

    /// <returns>The smallest graph into which the step fits; null where there is none.</returns>
    public DecodeGraph? Find(LanguageBatch batch)
    {
        var blocks = 0;
        foreach (var (state, _, _, _) in batch.Sequences)
            blocks = Math.Max(blocks, state.BlockNumbers.Length);
        foreach (var graph in _graphs)
            if (graph.Layout.Rows >= batch.Count && graph.Layout.TableBlocks >= blocks)
                return graph;
        return null;
    }

    public void Dispose()
    {
        foreach (var graph in _graphs)
            graph.Graph.Dispose();
        _inputs?.Dispose();
        _memory?.Dispose();
    }

    private DecodeGraph Capture(nint stream, StepLayout layout, DrawnTokens drawn, CudaGraphPool pool)
    {
        var (inputs, memory) = (_inputs!, _memory!);
        var host = inputs.Host(0);
        host.Part<byte>(0, layout.Bytes).Clear();
        host.Part<int>(layout.Positions, layout.Rows).Fill(-1);
        var draws = host.Part<SamplingKernel.Draw>(layout.DrawsAt, layout.Draws);
        for (var row = 0; row < draws.Length; row++)
            DrawTable.WriteAny(ref draws[row], row);
        inputs.Copy(0, layout, stream);
        CudaDriver.Synchronize(stream); // they are written anew for the next one
        // The inputs come before it by themselves: from one place or the other.
        var graph = CudaGraph.CaptureWarm(pool, () => layers.Run(stream, inputs.Address, layout, memory, drawn, draws: true));
        return new DecodeGraph(layout, graph, inputs, memory);
    }

    /// <summary>A captured step.</summary>
    internal sealed record DecodeGraph(StepLayout Layout, CudaGraph Graph, StepInputs Inputs, StepMemory Memory);
}
