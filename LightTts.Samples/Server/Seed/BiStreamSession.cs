using System.Net.WebSockets;
using System.Text;
using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Voices;

namespace LightTts.Samples.Server.Seed;

/// <summary>One web socket from its first frame to its last. It reads for as long as it lives,
/// so that pings are answered and a client that leaves is noticed at every point.</summary>
/// <remarks>It takes a place only with the first text: sockets that idle hold nothing but their connection.</remarks>
internal sealed class BiStreamSession(WebSocket socket, ServerOptions options, Admission admission, StyleCatalog styles, Client client,
    RequestRecord record, TimeProvider time)
{
    private const int MaxTextFrame = 64 * 1024;
    private const int MaxReason = 123;
    private const string FirstFrame = "the first frame must be a JSON object with prompt_text";
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource<BiStreamEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly BiStreamText _text = new(options.MaxTextLength);
    private ITimer? _idle;
    private Phase _phase;
    private Style? _style;
    private SynthesisRequest _request = new();
    private Admission.Place? _upload;
    private AudioClip? _audio;
    private string? _transcript;
    private Task _speaking = Task.CompletedTask;

    private enum Phase
    {
        Opening,
        Audio,
        Text,
        Finished,
    }

    /// <summary>Runs the session; never throws.</summary>
    public async Task<BiStreamEnd> RunAsync(CancellationToken aborted, CancellationToken stopping)
    {
        await using var idle = _idle = time.CreateTimer(_ => OnIdle(), null, options.IdleTimeout, Timeout.InfiniteTimeSpan);
        await using var gone = aborted.Register(() => _end.TrySetResult(BiStreamEnd.Gone));
        await using var drain = stopping.Register(OnStopping);
        using var abandon = new CancellationTokenSource();
        var receiving = ReceiveAsync(abandon.Token);
        var end = await _end.Task;
        await _stop.CancelAsync();
        await _speaking;
        await CloseAsync(end, receiving);
        await abandon.CancelAsync();
        await receiving;
        _upload?.Dispose();
        _stop.Dispose();
        return end;
    }

    private void OnIdle()
    {
        if (_phase != Phase.Finished)
            _end.TrySetResult(BiStreamEnd.Refused(WebSocketCloseStatus.PolicyViolation, $"nothing came for {options.IdleTimeout.TotalSeconds:0} s"));
    }

    /// <summary>The server stops: sessions that speak may end, the others are sent away.</summary>
    private void OnStopping()
    {
        if (_phase < Phase.Text || _speaking.IsCompleted)
            _end.TrySetResult(new BiStreamEnd(WebSocketCloseStatus.EndpointUnavailable, "the server is stopping", null, Failure.Stopping));
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[8 * 1024];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var frame = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
                if (frame.MessageType == WebSocketMessageType.Close)
                {
                    _end.TrySetResult(BiStreamEnd.Gone);
                    return;
                }
                if (_end.Task.IsCompleted || _phase == Phase.Finished)
                    continue; // what comes now is read for its pings and its close
                var limit = frame.MessageType == WebSocketMessageType.Text ? MaxTextFrame : _phase == Phase.Audio ? options.MaxUploadBytes : 0;
                if (limit > 0 && message.Length + frame.Count > limit)
                {
                    _end.TrySetResult(BiStreamEnd.Refused(WebSocketCloseStatus.MessageTooBig, "the message is too large"));
                    continue;
                }
                if (_phase == Phase.Audio && !TakeUpload())
                    continue;
                message.Write(buffer, 0, limit > 0 ? frame.Count : 0);
                if (!frame.EndOfMessage)
                    continue;
                _idle?.Change(options.IdleTimeout, Timeout.InfiniteTimeSpan);
                await HandleAsync(frame.MessageType, message.GetBuffer().AsMemory(0, (int)message.Length));
                message.SetLength(0);
                if (message.Capacity > MaxTextFrame)
                    message.Capacity = 0;
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            _end.TrySetResult(e is WebSocketException { WebSocketErrorCode: WebSocketError.Faulted or WebSocketError.InvalidMessageType }
                ? BiStreamEnd.Refused(WebSocketCloseStatus.ProtocolError, "the frame is not valid") : BiStreamEnd.Gone);
        }
        catch (Exception e)
        {
            _end.TrySetResult(BiStreamEnd.Failed(e));
        }
    }

    /// <summary>Asks whether the audio may come, at its first bytes: until the request has its place the audio waits in memory.</summary>
    private bool TakeUpload()
    {
        try
        {
            _upload ??= admission.BeginUpload(client);
            return true;
        }
        catch (RequestFailedException e)
        {
            _end.TrySetResult(BiStreamEnd.Failed(e));
            return false;
        }
    }

    private async Task HandleAsync(WebSocketMessageType type, ReadOnlyMemory<byte> message)
    {
        switch (_phase)
        {
            case Phase.Opening:
                await OpenAsync(type, message);
                break;
            case Phase.Audio:
                await TakeAudioAsync(type, message);
                break;
            default:
                TakeText(type, message);
                break;
        }
    }

    private async Task OpenAsync(WebSocketMessageType type, ReadOnlyMemory<byte> message)
    {
        try
        {
            var opening = type == WebSocketMessageType.Text ? BiStreamMessage.Parse(message) : throw new FormatException(FirstFrame);
            _style = styles.Find(opening.Style);
            _request = _request with { Style = _style.Language };
            if (opening.Voice is { } voice)
            {
                // Ours: a voice by its name needs no upload.
                _request = await VoiceCatalog.WithVoiceAsync(_request, _style, client, voice, _stop.Token);
                _phase = Phase.Text;
                return;
            }
            var prompt = opening.PromptText ?? throw new FormatException(FirstFrame);
            if (prompt.Length > options.MaxPromptTextLength)
                throw new FormatException("prompt_text is too long");
            var (transcript, instruction) = PromptText.Split(prompt);
            (_transcript, _request) = (transcript.Length > 0 ? transcript : null, _request with { Instruction = instruction });
            _phase = Phase.Audio;
        }
        catch (FormatException e)
        {
            _end.TrySetResult(BiStreamEnd.Refused(type == WebSocketMessageType.Text ? WebSocketCloseStatus.InvalidPayloadData
                : WebSocketCloseStatus.InvalidMessageType, e.Message));
        }
        catch (RequestFailedException e)
        {
            _end.TrySetResult(BiStreamEnd.Failed(e));
        }
    }

    private async Task TakeAudioAsync(WebSocketMessageType type, ReadOnlyMemory<byte> message)
    {
        if (type != WebSocketMessageType.Binary)
        {
            _end.TrySetResult(BiStreamEnd.Refused(WebSocketCloseStatus.InvalidMessageType, "the second frame must be the prompt audio"));
            return;
        }
        try
        {
            using var bytes = new MemoryStream(message.ToArray(), writable: false);
            _audio = await Uploads.DecodeAsync(bytes, options, _stop.Token);
            _phase = Phase.Text;
        }
        catch (Exception e) when (e is TtsAudioException or RequestFailedException)
        {
            _end.TrySetResult(BiStreamEnd.Refused(WebSocketCloseStatus.InvalidMessageType, e is RequestFailedException ? e.Message
                : SeedAnswers.BadAudio));
        }
    }

    private void TakeText(WebSocketMessageType type, ReadOnlyMemory<byte> message)
    {
        try
        {
            var next = type == WebSocketMessageType.Text ? BiStreamMessage.Parse(message) : throw new FormatException("a text frame is expected");
            if (next.Finish)
            {
                _phase = Phase.Finished;
                _text.Complete();
                if (_speaking == Task.CompletedTask)
                    _end.TrySetResult(BiStreamEnd.Done); // finish before any text: nothing to say
                return;
            }
            if (!_text.Append(next.Text ?? ""))
                _end.TrySetResult(BiStreamEnd.Refused(WebSocketCloseStatus.MessageTooBig, "the text is too long"));
            else if (_speaking == Task.CompletedTask)
                _speaking = SpeakAsync(admission.Enter(client));
            _upload?.Dispose();
        }
        catch (Exception e) when (e is FormatException or RequestFailedException)
        {
            _end.TrySetResult(BiStreamEnd.Failed(e is FormatException ? new RequestFailedException(Failure.Invalid(e.Message)) : e));
        }
    }

    private async Task SpeakAsync(IDisposable place)
    {
        try
        {
            using var held = place;
            if (_audio is not null)
                _request = _request with { Timbre = await _style!.Pipeline.Timbres.AddAsync(_audio, _transcript, null, _stop.Token) };
            var request = _request with { Timeout = options.RequestTimeout };
            await foreach (var chunk in _style!.Pipeline.SynthesizeAsync(_text.ReadAsync(_stop.Token), request, _stop.Token))
            {
                record.Sent(chunk);
                if (!chunk.Samples.IsEmpty) // the last chunk may hold nothing, and an empty frame means nothing to clients
                    await SendAsync(SeedPcm.Bytes(chunk.Samples.Span), WebSocketMessageType.Binary);
            }
            _end.TrySetResult(BiStreamEnd.Done);
        }
        catch (Exception e)
        {
            _end.TrySetResult(e is WebSocketException or OperationCanceledException ? BiStreamEnd.Gone : BiStreamEnd.Failed(e));
        }
    }

    /// <summary>Sends a frame; a client that does not take it in time is given up.</summary>
    private async Task SendAsync(ReadOnlyMemory<byte> bytes, WebSocketMessageType type)
    {
        await using var late = time.CreateTimer(_ => socket.Abort(), null, options.SendTimeout, Timeout.InfiniteTimeSpan);
        await socket.SendAsync(bytes, type, endOfMessage: true, CancellationToken.None);
    }

    private async Task CloseAsync(BiStreamEnd end, Task receiving)
    {
        try
        {
            if (end.ErrorFrame is { } error && socket.State == WebSocketState.Open)
                await SendAsync(Encoding.UTF8.GetBytes(error), WebSocketMessageType.Text);
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await using var late = time.CreateTimer(_ => socket.Abort(), null, Linger, Timeout.InfiniteTimeSpan);
                await socket.CloseOutputAsync(end.Status, end.Reason.Length > MaxReason ? end.Reason[..MaxReason]
                    : end.Reason, CancellationToken.None);
            }
            await receiving.WaitAsync(Linger, time);
        }
        catch (Exception e) when (e is WebSocketException or TimeoutException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            socket.Abort(); // it has gone, or does not say good-bye
        }
    }
}
