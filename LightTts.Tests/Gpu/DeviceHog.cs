using LightTts.Cuda;

namespace LightTts.Tests.Gpu;

/// <summary>Takes a CUDA device's memory away from everybody else, so that what asks for some really gets none; gives it back bit by bit.</summary>
internal sealed unsafe class DeviceHog : IDisposable
{
    /// <summary>What the device hands out at the least.</summary>
    public const long Piece = 2L << 20;

    private const long Block = 16L << 20, Divided = 6L << 30;

    private static readonly delegate* unmanaged<nint*, nuint, int> Malloc = (delegate* unmanaged<nint*, nuint, int>)CudaSymbols.OfCore("cudaMalloc");
    private static readonly delegate* unmanaged<nint, int> Release = (delegate* unmanaged<nint, int>)CudaSymbols.OfCore("cudaFree");
    private static readonly delegate* unmanaged<int> ClearError = (delegate* unmanaged<int>)CudaSymbols.OfCore("cudaGetLastError");

    private readonly Stack<(nint Address, long Bytes)> _blocks = new();

    /// <summary>Takes all but so many bytes of the current device's: the last 6 GiB in blocks, the last of these in pieces.</summary>
    public void Take(long leave)
    {
        var free = CudaMemory.Free(0)!.Value - leave;
        if (free > Divided)
            TryTake(free - Divided);
        foreach (var bytes in (long[])[Block, Piece])
            while (CudaMemory.Free(0)!.Value - leave >= bytes && TryTake(bytes))
            {
            }
    }

    /// <summary>Takes, or gives back, until so many bytes are free.</summary>
    public void Leave(long bytes)
    {
        Give(bytes - CudaMemory.Free(0)!.Value);
        Take(bytes);
    }

    /// <summary>Gives so many bytes back, in whole blocks, as far as there are.</summary>
    public void Give(long bytes)
    {
        for (var given = 0L; given < bytes && _blocks.TryPop(out var block); given += block.Bytes)
            _ = Release(block.Address);
    }

    public void Dispose() => Give(long.MaxValue);

    private bool TryTake(long bytes)
    {
        nint block;
        var taken = Malloc(&block, (nuint)bytes) == 0;
        if (taken)
            _blocks.Push((block, bytes));
        else
            _ = ClearError();
        return taken;
    }
}
