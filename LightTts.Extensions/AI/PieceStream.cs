namespace LightTts.Extensions.AI;

/// <summary>A stream that hands on what was written to it piece by piece. It cannot seek, so a
/// WAV file's header leaves the length open. One may write while another takes: ffmpeg's output comes when it comes.</summary>
internal sealed class PieceStream : Stream
{
    private readonly Lock _gate = new();
    private readonly MemoryStream _pending = new();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What was written since the last call.</summary>
    public byte[] Take()
    {
        lock (_gate)
        {
            var piece = _pending.ToArray();
            _pending.SetLength(0);
            return piece;
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (_gate)
            _pending.Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
