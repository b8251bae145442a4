using System.Buffers;
using System.Runtime.InteropServices;
using LightTts.Audio;

namespace LightTts;

/// <summary>Writes mono audio as a WAV file, piece by piece as it comes.</summary>
/// <remarks>
/// Where the stream can seek, the sizes in the header are set when the writer is disposed. Where it cannot (a pipe, a web response), the header says
/// 0xFFFFFFFF, which players take as: until the end. Not safe for use from several threads at once.
/// </remarks>
/// <example>
/// <code>
/// using var wav = new WavWriter(File.Create("hello.wav"), tts.Model.SampleRate);
/// await foreach (var chunk in tts.SynthesizeAsync(request))
///     wav.Write(chunk.Samples.Span);
/// </code>
/// </example>
public sealed class WavWriter : IDisposable, IAsyncDisposable
{
    private const int SamplesAtOnce = 4096;

    private readonly Stream _stream;
    private readonly WavSampleFormat _format;
    private readonly bool _leaveOpen;
    private readonly long _start;
    private readonly byte[] _header;
    private byte[]? _buffer;
    private bool _headerWritten;

    /// <summary>Starts a WAV file at the stream's position. Nothing is written before the first samples or the end.</summary>
    /// <param name="stream">A writable stream.</param>
    /// <param name="sampleRate">Samples a second, at least 1.</param>
    /// <param name="format">How samples are stored.</param>
    /// <param name="leaveOpen">Whether the stream stays open when the writer is disposed.</param>
    /// <exception cref="ArgumentException"><paramref name="stream"/> cannot be written to.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sampleRate"/> is below 1, or <paramref name="format"/> is not a known
    /// one.</exception>
    public WavWriter(Stream stream, int sampleRate, WavSampleFormat format = WavSampleFormat.Pcm16, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 1);
        if (!Enum.IsDefined(format))
            throw new ArgumentOutOfRangeException(nameof(format), format, "Not a known sample format.");
        if (!stream.CanWrite)
            throw new ArgumentException("The stream cannot be written to.", nameof(stream));
        _stream = stream;
        _format = format;
        _leaveOpen = leaveOpen;
        _start = stream.CanSeek ? stream.Position : 0;
        _header = WavHeader.Create(format, sampleRate);
        _buffer = ArrayPool<byte>.Shared.Rent(SamplesAtOnce * sizeof(float));
    }

    /// <summary>Samples that were written so far.</summary>
    public long SamplesWritten { get; private set; }

    /// <summary>Appends samples.</summary>
    /// <param name="samples">Mono samples, nominally in [-1, 1].</param>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    /// <exception cref="IOException">The stream failed.</exception>
    public void Write(ReadOnlySpan<float> samples)
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        WriteHeader();
        while (!samples.IsEmpty)
        {
            var count = Math.Min(samples.Length, SamplesAtOnce);
            _stream.Write(_buffer.AsSpan(0, Encode(samples[..count])));
            samples = samples[count..];
        }
    }

    /// <summary>Appends samples without blocking.</summary>
    /// <param name="samples">Mono samples, nominally in [-1, 1].</param>
    /// <param name="cancellationToken">Gives up writing; the file is then incomplete.</param>
    /// <returns>A task that is complete when the stream took the samples.</returns>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    /// <exception cref="IOException">The stream failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<float> samples, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        await WriteHeaderAsync(cancellationToken).ConfigureAwait(false);
        while (!samples.IsEmpty)
        {
            var count = Math.Min(samples.Length, SamplesAtOnce);
            await _stream.WriteAsync(_buffer.AsMemory(0, Encode(samples.Span[..count])), cancellationToken).ConfigureAwait(false);
            samples = samples[count..];
        }
    }

    /// <summary>Ends the file: sets the sizes in the header where the stream can seek, flushes, and closes the stream unless it is to stay
    /// open.</summary>
    public void Dispose()
    {
        if (_buffer is null)
            return;
        try
        {
            WriteHeader();
            if (_stream.CanSeek)
            {
                var end = _stream.Position;
                WavHeader.SetSizes(_header, _format, SamplesWritten);
                _stream.Position = _start;
                _stream.Write(_header);
                _stream.Position = end;
            }
            _stream.Flush();
        }
        finally
        {
            ReturnBuffer();
            if (!_leaveOpen)
                _stream.Dispose();
        }
    }

    /// <inheritdoc cref="Dispose"/>
    /// <returns>A task that is complete when the file is.</returns>
    public async ValueTask DisposeAsync()
    {
        if (_buffer is null)
            return;
        try
        {
            await WriteHeaderAsync(CancellationToken.None).ConfigureAwait(false);
            if (_stream.CanSeek)
            {
                var end = _stream.Position;
                WavHeader.SetSizes(_header, _format, SamplesWritten);
                _stream.Position = _start;
                await _stream.WriteAsync(_header).ConfigureAwait(false);
                _stream.Position = end;
            }
            await _stream.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            ReturnBuffer();
            if (!_leaveOpen)
                await _stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void WriteHeader()
    {
        if (_headerWritten)
            return;
        _headerWritten = true;
        _stream.Write(_header);
    }

    private ValueTask WriteHeaderAsync(CancellationToken cancellationToken)
    {
        if (_headerWritten)
            return ValueTask.CompletedTask;
        _headerWritten = true;
        return _stream.WriteAsync(_header, cancellationToken);
    }

    private int Encode(ReadOnlySpan<float> samples)
    {
        SamplesWritten += samples.Length;
        if (_format is WavSampleFormat.Float32)
        {
            samples.CopyTo(MemoryMarshal.Cast<byte, float>(_buffer.AsSpan()));
            return samples.Length * sizeof(float);
        }
        return Pcm16.Encode(samples, _buffer);
    }

    private void ReturnBuffer()
    {
        ArrayPool<byte>.Shared.Return(_buffer!);
        _buffer = null;
    }
}
