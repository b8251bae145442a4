using System.Buffers;

namespace LightTts.Extensions.Formats;

/// <summary>Runs a codec of this library over a stream.</summary>
internal sealed class CodecEncoder(Stream destination, IAudioCodec codec, RateConverter? converter) : AudioEncoder
{
    private const int SamplesAtOnce = 24_000;

    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private readonly long _start = destination.CanSeek ? destination.Position : 0;
    private bool _completed;
    private bool _disposed;

    public override async ValueTask WriteAsync(ReadOnlyMemory<float> samples, CancellationToken cancellationToken = default)
    {
        ThrowIfDone();
        while (!samples.IsEmpty)
        {
            var count = Math.Min(samples.Length, SamplesAtOnce);
            var piece = samples[..count].Span;
            codec.Encode(converter is null ? piece : converter.Convert(piece), _output);
            samples = samples[count..];
            await SendAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask CompleteAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfDone();
        _completed = true;
        if (converter is not null)
            codec.Encode(converter.Finish(), _output);
        codec.Finish(_output);
        await SendAsync(cancellationToken).ConfigureAwait(false);
        if (destination.CanSeek && codec.FinalHeader is { } header)
        {
            var end = destination.Position;
            destination.Position = _start;
            await destination.WriteAsync(header, cancellationToken).ConfigureAwait(false);
            destination.Position = end;
        }
    }

    public override ValueTask DisposeAsync()
    {
        _disposed = true;
        return ValueTask.CompletedTask;
    }

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        if (_output.WrittenCount == 0)
            return;
        await destination.WriteAsync(_output.WrittenMemory, cancellationToken).ConfigureAwait(false);
        _output.ResetWrittenCount();
    }

    private void ThrowIfDone()
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(AudioEncoder));
        if (_completed)
            throw new InvalidOperationException("The encoder was completed; create another one for more audio.");
    }
}
