namespace LightTts.Weights;

/// <summary>A part of a mapped file that stays where it is until this is disposed, whatever becomes of its archive. Its pages come in as they are
/// touched, and processes that map the same file share them.</summary>
internal sealed unsafe class MappedBytes : IDisposable
{
    private readonly MappedFile _file;
    private readonly long _offset;
    private readonly IDisposable _hold;

    /// <param name="file">The file.</param>
    /// <param name="offset">Of the first byte.</param>
    /// <param name="length">Bytes.</param>
    public MappedBytes(MappedFile file, long offset, long length)
    {
        (_file, _offset, Length) = (file, offset, length);
        Start = file.At(offset, length);
        _hold = file.Hold();
    }

    public byte* Start { get; }

    public long Length { get; }

    /// <inheritdoc cref="MappedFile.Release"/>
    public void Release() => _file.Release(_offset, Length);

    public void Dispose() => _hold.Dispose();
}
