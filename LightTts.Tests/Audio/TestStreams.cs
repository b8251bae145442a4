namespace LightTts.Tests.Audio;

/// <summary>A stream that cannot seek and hands its bytes out in uneven pieces; in asynchronous
/// dress it refuses blocking reads, as a web server's request body does.</summary>
internal sealed class Pipe(byte[] bytes, bool blocking = true) : Stream
{
    private int _position;
    private int _reads;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer) => blocking ? Next(buffer) : throw new InvalidOperationException("blocking reads are not allowed");

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return Next(buffer.Span);
    }

    private int Next(Span<byte> buffer)
    {
        var count = Math.Min(Math.Min(buffer.Length, bytes.Length - _position), 1 + _reads++ * 7 % 4096);
        bytes.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>A long stream of zeros after a header that counts what is read of it.</summary>
internal sealed class CountingStream(byte[] head, long length) : Stream
{
    public bool Seekable { get; init; } = true;
    public long BytesRead { get; private set; }
    public override bool CanRead => true;
    public override bool CanSeek => Seekable;
    public override bool CanWrite => false;
    public override long Length => length;
    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, length - Position);
        buffer[..count].Clear();
        if (Position < head.Length)
            head.AsSpan((int)Position, Math.Min(count, head.Length - (int)Position)).CopyTo(buffer);
        Position += count;
        BytesRead += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin is SeekOrigin.Current ? Position + offset : throw new NotSupportedException();

    public override void Flush() { }
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
