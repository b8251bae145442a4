using System.Buffers.Binary;

namespace LightTts.Samples.Speak;

/// <summary>Where the audio goes, chunk by chunk. A file appears under its name only when it is complete.</summary>
internal abstract class AudioSink : IDisposable
{
    public long Samples { get; private set; }

    public static AudioSink Wav(string path, int sampleRate) => new WavFile(path, sampleRate);

    public static AudioSink Raw(Stream stream) => new RawPcm(stream);

    public async Task WriteAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation)
    {
        await WriteCoreAsync(samples, cancellation);
        Samples += samples.Length;
    }

    public abstract void Complete();

    public abstract void Dispose();

    protected abstract Task WriteCoreAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation);

    private sealed class WavFile : AudioSink
    {
        private readonly string _path;
        private readonly string _partial;
        private readonly WavWriter _writer;

        public WavFile(string path, int sampleRate)
        {
            _path = path;
            _partial = path + ".part";
            _writer = new WavWriter(File.Create(_partial), sampleRate);
        }

        public override void Complete()
        {
            _writer.Dispose();
            if (Samples > 0)
                File.Move(_partial, _path, overwrite: true);
        }

        public override void Dispose()
        {
            _writer.Dispose();
            File.Delete(_partial);
        }

        protected override Task WriteCoreAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation) => _writer.WriteAsync(samples, cancellation).AsTask();
    }

    private sealed class RawPcm(Stream stream) : AudioSink
    {
        private byte[] _bytes = [];

        public override void Complete() => stream.Flush();

        public override void Dispose() => stream.Dispose();

        protected override async Task WriteCoreAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation)
        {
            if (_bytes.Length < 2 * samples.Length)
                _bytes = new byte[2 * samples.Length];
            for (var i = 0; i < samples.Length; i++)
                BinaryPrimitives.WriteInt16LittleEndian(_bytes.AsSpan(2 * i), (short)MathF.Round(Math.Clamp(samples.Span[i], -1, 1) * 32767));
            await stream.WriteAsync(_bytes.AsMemory(0, 2 * samples.Length), cancellation);
            await stream.FlushAsync(cancellation);
        }
    }
}
