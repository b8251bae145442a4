namespace LightTts.Samples.Server.Requests;

/// <summary>Writes a response's body; a client that does not take a piece in time is given up.</summary>
internal sealed class BodyWriter(HttpContext context, TimeSpan limit, TimeProvider time) : WriteOnlyStream
{
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var late = time.CreateTimer(static state => ((HttpContext)state!).Abort(), context, limit, Timeout.InfiniteTimeSpan);
        await context.Response.Body.WriteAsync(buffer, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
