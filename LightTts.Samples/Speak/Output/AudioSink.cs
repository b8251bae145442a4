namespace LightTts.Samples.Speak.Output;

/// <summary>Where the audio goes, chunk by chunk.</summary>
internal abstract class AudioSink : IDisposable
{
    public long Samples { get; private set; }

    /// <summary>A WAV file that appears under its name only when it is complete; a device or a pipe is written as it stands.</summary>
    public static AudioSink Wav(string path, int sampleRate) =>
        FileKind.IsSpecial(path) ? new WavStream(OpenSpecial(path), sampleRate) : new WavFile(path, sampleRate);

    public static AudioSink Wav(Stream stream, int sampleRate) => new WavStream(stream, sampleRate);

    public static AudioSink Raw(Stream stream) => new RawPcm(stream);

    public async Task WriteAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation)
    {
        await WriteCoreAsync(samples, cancellation);
        Samples += samples.Length;
    }

    /// <summary>Ends the audio. What was not completed when the sink is disposed is given up.</summary>
    public abstract void Complete();

    public abstract void Dispose();

    protected abstract Task WriteCoreAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation);

    private static Stream OpenSpecial(string path) => path is "/dev/stdout"
        ? StandardOutput.Open()
        : new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);

    private sealed class WavFile : AudioSink
    {
        private readonly string _path;
        private readonly string _partial;
        private readonly WavWriter _writer;

        public WavFile(string path, int sampleRate)
        {
            // A link stays, and so does what it is: the file behind it is what gets new content.
            _path = Path.GetFullPath(path);
            if (new FileInfo(_path).LinkTarget is not null)
                _path = File.ResolveLinkTarget(_path, returnFinalTarget: true)!.FullName;
            _partial = Path.Combine(Path.GetDirectoryName(_path)!, $".{Path.GetFileName(_path)}.{Path.GetRandomFileName()}.part");
            _writer = new WavWriter(new FileStream(_partial, FileMode.CreateNew, FileAccess.Write, FileShare.Read), sampleRate);
        }

        public override void Complete()
        {
            _writer.Dispose();
            if (Samples == 0)
                return;
            if (!OperatingSystem.IsWindows() && File.Exists(_path))
                File.SetUnixFileMode(_partial, File.GetUnixFileMode(_path));
            File.Move(_partial, _path, overwrite: true);
        }

        public override void Dispose()
        {
            try
            {
                _writer.Dispose();
            }
            catch (IOException)
            {
                // A disk that is full was reported when it was written to.
            }
            File.Delete(_partial);
        }

        protected override Task WriteCoreAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation) =>
            _writer.WriteAsync(samples, cancellation).AsTask();
    }

    private sealed class WavStream(Stream stream, int sampleRate) : AudioSink
    {
        private readonly WavWriter _writer = new(new ForwardStream(stream), sampleRate);

        public override void Complete() => _writer.Dispose();

        public override void Dispose()
        {
            try
            {
                _writer.Dispose();
            }
            catch (IOException)
            {
                // The reader has gone; that was reported.
            }
        }

        protected override Task WriteCoreAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation) =>
            _writer.WriteAsync(samples, cancellation).AsTask();
    }

    private sealed class RawPcm(Stream stream) : AudioSink
    {
        private byte[] _bytes = [];

        public override void Complete() => stream.Flush();

        public override void Dispose() => stream.Dispose();

        protected override async Task WriteCoreAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation)
        {
            if (_bytes.Length < Pcm16.BytesPerSample * samples.Length)
                _bytes = new byte[Pcm16.BytesPerSample * samples.Length];
            var count = Pcm16.Encode(samples.Span, _bytes);
            await stream.WriteAsync(_bytes.AsMemory(0, count), cancellation);
        }
    }
}
