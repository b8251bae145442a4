namespace LightTts.Cuda;

/// <summary>A place in a stream that can be waited for while what was launched behind it goes on.</summary>
/// <remarks>Of the device that is current where it is first recorded.</remarks>
internal sealed class CudaEvent : IDisposable
{
    private nint _event;

    /// <summary>Puts it behind all that was launched on a stream so far.</summary>
    public void Record(nint stream)
    {
        if (_event == 0)
            _event = CudaDriver.CreateEvent();
        CudaDriver.RecordEvent(_event, stream);
    }

    /// <summary>Waits until the device is there.</summary>
    public void Wait() => CudaDriver.WaitForEvent(_event);

    public void Dispose()
    {
        if (_event != 0)
            CudaDriver.DestroyEvent(_event);
        _event = 0;
    }
}
