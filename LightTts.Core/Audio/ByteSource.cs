namespace LightTts.Audio;

/// <summary>Where bytes come from: lets one parser serve blocking and asynchronous callers (with a blocking source its task is always
/// complete).</summary>
internal interface IByteSource
{
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);
}

/// <summary>Reads with <see cref="Stream.Read(Span{byte})"/>.</summary>
internal readonly struct BlockingSource(Stream stream) : IByteSource
{
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => new(stream.Read(buffer.Span));
}

/// <summary>Reads with <see cref="Stream.ReadAsync(Memory{byte}, CancellationToken)"/>.</summary>
internal readonly struct AsyncSource(Stream stream) : IByteSource
{
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => stream.ReadAsync(buffer, cancellationToken);
}
