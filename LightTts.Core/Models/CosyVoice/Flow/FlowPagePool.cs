using System.Runtime.InteropServices;
using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Memory for what the flow keeps of its utterances, in pages of one size whose holders are counted.
/// May be used by several threads.</summary>
/// <remarks>
/// What lies in a page is the estimator's business. Pages never move, so their addresses can be captured. On the CPU the memory comes in
/// slabs when it is first needed, so that a process that streams nothing stays small; on CUDA it is one slab, so that
/// a page's number is its index.
/// </remarks>
internal sealed class FlowPagePool : IDisposable
{
    /// <summary>Bytes of a slab on the CPU.</summary>
    public const long SlabBytes = 32L << 20;

    private readonly Lock _lock = new();
    private readonly Stack<int> _free = new();
    private readonly long _pageElements;
    private readonly ScalarType _type;
    private readonly Device _device;
    private readonly long _slabBytes;
    private readonly int _reserved;
    private Tensor?[] _slabs = [];
    private nint[] _addresses = [];
    private int[]? _holders; // null: the budget is not decided
    private int _slabPages = 1;
    private int _made;
    private bool _disposed;

    /// <param name="budget">Bytes that all pages may take together; null: <see cref="DefaultBudget"/>.</param>
    /// <param name="pageElements">Numbers in a page.</param>
    /// <param name="type">Their type.</param>
    /// <param name="device">Where they lie.</param>
    /// <param name="slabBytes">Bytes that are taken from the system at once; null: <see cref="SlabBytes"/> on the CPU, everything on CUDA.</param>
    /// <param name="reserved">Pages beyond the budget for the estimator's own use. They lie behind all others, from <see cref="Capacity"/> on,
    /// and everything is in one slab then.</param>
    public FlowPagePool(long? budget, long pageElements, ScalarType type, Device device, long? slabBytes = null, int reserved = 0)
    {
        (_pageElements, _type, _device, _reserved) = (pageElements, type, device, reserved);
        PageBytes = pageElements * Precisions.Bytes(type);
        _slabBytes = slabBytes ?? (device.type == TorchSharp.DeviceType.CPU && reserved == 0 ? SlabBytes : long.MaxValue);
        // A device's free memory is known when everything else has been loaded.
        if ((budget ?? (device.type == TorchSharp.DeviceType.CPU ? DefaultBudget(device) : null)) is { } known)
            Resize(known);
    }

    public long PageBytes { get; }

    /// <summary>Pages that there may be.</summary>
    public int Capacity => _holders?.Length ?? 0;

    /// <summary>Bytes taken from the system so far.</summary>
    public long Bytes => Volatile.Read(ref _made) * PageBytes;

    /// <summary>Pages that somebody holds.</summary>
    public int InUse
    {
        get
        {
            lock (_lock)
                return _made - _free.Count;
        }
    }

    /// <summary>Pages that can still be taken.</summary>
    public int Available
    {
        get
        {
            lock (_lock)
                return Capacity - _made + _free.Count;
        }
    }

    /// <summary>Decides on the budget where none was asked for, and takes the memory on CUDA; when everything else is loaded.</summary>
    public void Allocate()
    {
        lock (_lock)
        {
            if (_holders is null)
                Resize(DefaultBudget(_device));
            if ((_device.type != TorchSharp.DeviceType.CPU || _reserved > 0) && _slabs is [null, ..])
                AddSlab();
        }
    }

    /// <summary>Takes pages, each held once; all or none.</summary>
    /// <returns>Whether there were enough.</returns>
    public bool TryTake(Span<int> pages)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_holders is null)
                Resize(DefaultBudget(_device));
            if (pages.Length > Capacity - _made + _free.Count)
                return false;
            while (_free.Count < pages.Length)
                AddSlab();
            foreach (ref var page in pages)
            {
                page = _free.Pop();
                _holders![page] = 1;
            }
            return true;
        }
    }

    /// <summary>One holder more.</summary>
    public void Hold(ReadOnlySpan<int> pages)
    {
        lock (_lock)
            foreach (var page in pages)
                _holders![page]++;
    }

    /// <summary>One holder less; the last gives the page back.</summary>
    public void Release(ReadOnlySpan<int> pages)
    {
        lock (_lock)
            foreach (var page in pages)
                if (--_holders![page] == 0)
                    _free.Push(page);
    }

    /// <summary>On the CPU: where a page begins.</summary>
    public nint Address(int page) => _addresses[page / _slabPages] + (nint)(page % _slabPages * PageBytes);

    /// <summary>All pages, the reserved ones included, [pages, numbers]; where there is one slab and it is made.</summary>
    public Tensor Table => _slabs is [{ } slab] ? slab : throw new InvalidOperationException("The pages are not in one piece.");

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (var slab in _slabs)
                slab?.Dispose();
            _slabs = [];
        }
    }

    /// <summary>What is taken where nobody says how much: half of a CUDA device's free memory, 1.25 GiB on the CPU.</summary>
    public static long DefaultBudget(Device device)
    {
        const long modest = 1280L << 20;
        return device.type == TorchSharp.DeviceType.CUDA && CudaMemory.Free(device.index) is { } free ? free / 2 : modest;
    }

    private void Resize(long budget)
    {
        var pages = (int)Math.Min(budget / PageBytes, int.MaxValue / 2);
        _slabPages = (int)Math.Clamp(_slabBytes / PageBytes, 1, Math.Max(1, pages));
        _holders = new int[pages];
        _slabs = new Tensor?[Math.Max(_reserved > 0 ? 1 : 0, (pages + _slabPages - 1) / _slabPages)];
        _addresses = new nint[_slabs.Length];
    }

    private unsafe void AddSlab()
    {
        var count = Math.Min(_slabPages, Capacity - _made);
        var slab = Allocate(count + _reserved);
        var index = _made / _slabPages;
        if (slab.device_type == TorchSharp.DeviceType.CPU)
            _addresses[index] = (nint)slab.Pointer();
        _slabs[index] = slab;
        // The lowest is taken first.
        for (var page = _made + count - 1; page >= _made; page--)
            _free.Push(page);
        Volatile.Write(ref _made, _made + count);
    }

    private Tensor Allocate(int pages)
    {
        try
        {
            using var inference = inference_mode();
            return empty([pages, _pageElements], _type, _device).DetachFromDisposeScope();
        }
        catch (ExternalException e)
        {
            throw new TtsBackendException($"The flow's cache could not get {pages * PageBytes >> 20} MiB of memory on {_device}. Set "
                + $"{nameof(TtsPipelineOptions)}.{nameof(TtsPipelineOptions.FlowCacheBytes)} to less.", e);
        }
    }
}
