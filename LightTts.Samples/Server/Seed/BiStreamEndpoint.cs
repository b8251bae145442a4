using System.Net.WebSockets;
using LightTts.Samples.Server.Hosting;
using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Voices;

namespace LightTts.Samples.Server.Seed;

/// <summary>WebSocket <c>/inference_zero_shot_bistream</c>: text goes in in pieces while audio comes out.</summary>
internal sealed class BiStreamEndpoint(ServerOptions options, RequestRunner runner, Admission admission, StyleCatalog styles, TimeProvider time)
{
    public const string Route = "/inference_zero_shot_bistream";

    public Task HandleAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
            return SeedAnswers.WriteJsonAsync(context, StatusCodes.Status404NotFound, SeedAnswers.Detail("Not Found"));
        return runner.RunAsync(context, Route, SeedAnswers.WriteAsync, async (client, record) =>
        {
            var offered = context.WebSockets.WebSocketRequestedProtocols;
            using var socket = await context.WebSockets.AcceptWebSocketAsync(offered.Contains(ClientDirectory.Protocol) ? ClientDirectory.Protocol
                : null);
            var session = new BiStreamSession(socket, options, admission, styles, client, record, time);
            var end = await session.RunAsync(context.RequestAborted, admission.Stopping);
            if (end.Status == WebSocketCloseStatus.ProtocolError)
                await LastFrame.LeaveAsync(context);
            if (end.Failure is { } failure)
                throw end.Error ?? new RequestFailedException(failure);
        });
    }
}
