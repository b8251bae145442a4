using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace LightTts.Extensions.Formats;

/// <summary>MP3 and AAC: samples go into ffmpeg's input, a pump carries its output to the destination.</summary>
internal sealed class FfmpegEncoder : AudioEncoder
{
    private const int SamplesAtOnce = 12_000;

    private readonly Process _process;
    private readonly Stream _input;
    private readonly Task _pump;
    private readonly CancellationTokenSource _ended = new();
    private bool _completed;
    private bool _disposed;

    public FfmpegEncoder(Stream destination, int sourceRate, int rate, AudioEncoderOptions options)
    {
        string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
        var mp3 = options.Format == AudioFormat.Mp3;
        _process = Ffmpeg.Start(mp3 ? "MP3" : "AAC",
        [
            "-f", "f32le", "-ar", Number(sourceRate), "-ac", "1", "-i", "pipe:0",
            "-ar", Number(rate), "-b:a", Number(options.BitRate ?? 64_000), "-threads", "1", "-flush_packets", "1",
            "-f", mp3 ? "mp3" : "adts", "pipe:1",
        ]);
        _input = _process.StandardInput.BaseStream;
        _pump = PumpAsync(_process.StandardOutput.BaseStream, destination, _ended.Token);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<float> samples, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(AudioEncoder));
        if (_completed)
            throw new InvalidOperationException("The encoder was completed; create another one for more audio.");
        var bytes = new byte[Math.Min(samples.Length, SamplesAtOnce) * sizeof(float)];
        while (!samples.IsEmpty)
        {
            var count = Math.Min(samples.Length, SamplesAtOnce);
            MemoryMarshal.AsBytes(samples.Span[..count]).CopyTo(bytes);
            var write = _input.WriteAsync(bytes.AsMemory(0, count * sizeof(float)), cancellationToken).AsTask();
            // A destination that fails would leave the write waiting for a pipe that nobody empties.
            if (await Task.WhenAny(write, _pump).ConfigureAwait(false) == _pump)
                await _pump.ConfigureAwait(false);
            await write.ConfigureAwait(false);
            samples = samples[count..];
        }
        await _input.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask CompleteAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(AudioEncoder));
        _completed = true;
        _input.Close();
        await _pump.WaitAsync(cancellationToken).ConfigureAwait(false);
        await _process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        if (_process.ExitCode != 0)
            throw new IOException($"ffmpeg ended with code {_process.ExitCode}; the audio is incomplete.");
    }

    public override async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _ended.CancelAsync().ConfigureAwait(false);
        Ffmpeg.End(_process);
        await ((Task)_pump).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
    }

    private static async Task PumpAsync(Stream output, Stream destination, CancellationToken ended)
    {
        var buffer = new byte[16 * 1024];
        while (await output.ReadAsync(buffer, ended).ConfigureAwait(false) is var count and > 0)
            await destination.WriteAsync(buffer.AsMemory(0, count), ended).ConfigureAwait(false);
    }
}
