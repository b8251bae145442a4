using Microsoft.AspNetCore.Http.Features;

namespace LightTts.Samples.Server.Hosting;

/// <summary>Keeps a web socket's connection for a moment after the socket has given it up. The framework writes the
/// close frame of a broken protocol and ends the connection at once, and the frame is lost with what waits in the connection.</summary>
internal sealed class LastFrame(IHttpUpgradeFeature inner, TimeProvider time) : IHttpUpgradeFeature
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);
    private KeptStream? _stream;

    public bool IsUpgradableRequest => inner.IsUpgradableRequest;

    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } feature)
            context.Features.Set<IHttpUpgradeFeature>(new LastFrame(feature, context.RequestServices.GetRequiredService<TimeProvider>()));
        return next(context);
    }

    /// <summary>Waits until the client has gone, or for a moment.</summary>
    public static Task LeaveAsync(HttpContext context) => (context.Features.Get<IHttpUpgradeFeature>() as LastFrame)?._stream?.DrainAsync()
        ?? Task.CompletedTask;

    public async Task<Stream> UpgradeAsync() => _stream = new KeptStream(await inner.UpgradeAsync(), time);

    private sealed class KeptStream(Stream stream, TimeProvider time) : Stream
    {
        private int _given;
        private ITimer? _end;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        /// <summary>Throws away what still comes.</summary>
        public async Task DrainAsync()
        {
            using var moment = new CancellationTokenSource(Moment, time);
            var buffer = new byte[4096];
            try
            {
                while (await stream.ReadAsync(buffer, moment.Token) > 0)
                {
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // It has gone, or it has had its time.
            }
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            stream.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            stream.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => stream.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only ReadAsync.");

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only WriteAsync.");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        /// <summary>Ends what still reads and writes, a moment later.</summary>
        protected override void Dispose(bool disposing)
        {
            if (disposing && Interlocked.Exchange(ref _given, 1) == 0)
                _end = time.CreateTimer(_ =>
                {
                    stream.Dispose();
                    _end?.Dispose();
                }, null, Moment, Timeout.InfiniteTimeSpan);
            base.Dispose(disposing);
        }
    }
}
