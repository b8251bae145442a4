using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>Memory that graphs share which are never launched at the same time.</summary>
/// <remarks>libtorch knows it by a number, which it does not take again once the last graph of that number is gone, nor while a recording stays open
/// under it that broke off; its exception would end the process. From then on there is another number. For whoever records, one at a time.</remarks>
internal sealed unsafe class CudaGraphPool
{
    private static readonly delegate* unmanaged<Number> Next = (delegate* unmanaged<Number>)CudaSymbols.OfTorch("_ZN2at4cuda17graph_pool_handleEv");

    private Share? _current;

    /// <summary>Whether this libtorch has any.</summary>
    public static bool IsSupported => Next != null;

    /// <summary>For one more graph, which leaves it when it is gone.</summary>
    public Share Enter()
    {
        if (_current is not { Graphs: > 0 })
            _current = new Share(Next());
        _current.Graphs++;
        return _current;
    }

    /// <summary>Lets later graphs have another, as a recording stays open.</summary>
    public void Abandon() => _current = null;

    /// <summary>What the graphs of one number have.</summary>
    internal sealed class Share(Number number)
    {
        public Number Number => number;

        /// <summary>How many there are.</summary>
        public int Graphs { get; set; }
    }

    /// <summary>c10::MempoolId_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly struct Number
    {
        private readonly ulong _first;
        private readonly ulong _second;
    }
}
