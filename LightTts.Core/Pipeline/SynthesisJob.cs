using System.Diagnostics;
using LightTts.Diagnostics;
using LightTts.Models;
using LightTts.Timbres;

namespace LightTts.Pipeline;

/// <summary>A request on its way through the stages: the one owner of what it carries.</summary>
/// <remarks>
/// A job ends once (<see cref="TryEnd"/>): done, failed, cancelled or out of time.
/// Whoever ends it only flips that switch and wakes the stages; each stage then frees its
/// own part (KV blocks on the language thread, flow and vocoder caches on the decode
/// thread) in its next step, because tensors belong to their stage's thread.
/// </remarks>
internal sealed class SynthesisJob
{
    private readonly Action<SynthesisJob> _onEnd;
    private readonly Lock _gate = new();
    private readonly List<IDisposable> _disposables = [];
    private readonly CancellationTokenSource _cancelled = new();
    private int _ended;
    private int _tokensWaiting;
    private int _tokensTaken;

    public SynthesisJob(long id, SynthesisRequest request, TimbreFeatures timbre, ulong seed, int flowSteps, long outputCapacity, TimeProvider time,
        Action onSpace,
        Action<SynthesisJob> onEnd)
    {
        Id = id;
        Request = request;
        Timbre = timbre;
        Seed = seed;
        Decode = new DecodeOptions(request.Delivery is null or AudioDelivery.Streaming, flowSteps, request.Speed,
            request.FirstFlowSteps);
        Time = time;
        Accepted = time.GetTimestamp();
        Output = new AudioOutput(outputCapacity, onSpace);
        _onEnd = onEnd;
    }

    public long Id { get; }

    public SynthesisRequest Request { get; }

    public TimbreFeatures Timbre { get; }

    public ulong Seed { get; }

    public DecodeOptions Decode { get; }

    public TimeProvider Time { get; }

    /// <summary>Timestamp of the request's acceptance.</summary>
    public long Accepted { get; }

    public AudioOutput Output { get; }

    /// <summary>The text source of a bi-streamed request; null otherwise.</summary>
    public TextSource? Source { get; init; }

    /// <summary>The speech that is to be spoken in another voice; null where text is spoken.</summary>
    public SpeechInput? Speech { get; init; }

    /// <summary>Why the source of text or speech failed,
    /// where it did: the request ends with it once what was complete before has been spoken.</summary>
    public volatile TtsRequestException? SourceError;

    /// <summary>The request's span, where somebody listens.</summary>
    public Activity? Activity { get; init; }

    /// <summary>Which of the language models speaks; none where speech is converted.</summary>
    public LanguageStyle? Style { get; init; }

    public LanguagePrompt Prompt { get; set; } = new([], [], 0);

    /// <summary>Set by the language stage when it wants the next piece of text; cleared by the encode stage.</summary>
    public volatile bool WantsPiece = true;

    /// <summary>Utterances whose speech tokens are complete; the language stage's own.</summary>
    public int SpokenUtterances { get; set; }

    /// <summary>Utterances whose audio is complete; written by the decode stage.</summary>
    public volatile int DecodedUtterances;

    /// <summary>Cancelled when the job ends, whichever way.</summary>
    public CancellationToken Aborted => _cancelled.Token;

    public bool HasEnded => Volatile.Read(ref _ended) != 0;

    /// <summary>Why the job ended; null while it runs and where it was completed.</summary>
    public Exception? Error { get; private set; }

    /// <summary>Speech tokens that the language stage has drawn and the decode stage has not taken yet.</summary>
    public int TokensWaiting => Volatile.Read(ref _tokensWaiting);

    public void AddTokensWaiting(int count)
    {
        Interlocked.Add(ref _tokensWaiting, count);
        if (count < 0)
            Speech?.OnTaken();
    }

    /// <summary>Speech tokens that the decode stage has taken; written by it only.</summary>
    public int TokensTaken => Volatile.Read(ref _tokensTaken);

    /// <summary>The decode stage takes so many of those that wait.</summary>
    public void TakeTokens(int count)
    {
        Volatile.Write(ref _tokensTaken, _tokensTaken + count);
        AddTokensWaiting(-count);
    }

    /// <summary>Whether the decode stage has all that it needs for the next audio, or works on it; written by it only.</summary>
    public volatile bool CanBeDecoded;

    /// <summary>Speech that is drawn and was not heard yet, be it audio or still tokens; of a listener who has heard something.</summary>
    /// <param name="tokensPerSecond">Of speech.</param>
    public TimeSpan Ahead(double tokensPerSecond) =>
        TimeSpan.FromSeconds((TokensTaken + TokensWaiting) / tokensPerSecond) - (Elapsed - FirstAudio);

    /// <summary>Whether somebody listens who has heard nothing yet.</summary>
    public bool AwaitsFirstAudio => Decode.Streaming && Chunks == 0;

    // What the decode stage has handed out; written by the decode thread only.
    public int Chunks { get; private set; }

    public long Samples { get; private set; }

    public TimeSpan FirstAudio { get; private set; }

    public TimeSpan Elapsed => Time.GetElapsedTime(Accepted);

    /// <summary>What the clock says on which deadlines are.</summary>
    public TimeSpan Now => Time.GetElapsedTime(0);

    /// <summary>When the audio handed out so far will have been played, as time since
    /// acceptance; zero while there is none, so that a newcomer comes first.</summary>
    public TimeSpan PlaybackDeadline(int sampleRate) => Chunks == 0 ? TimeSpan.Zero : FirstAudio + TimeSpan.FromSeconds((double)Samples / sampleRate);

    /// <summary>How much audio the listener has ahead; negative where playback has run dry.</summary>
    public TimeSpan Lead(int sampleRate) => Chunks == 0 ? TimeSpan.Zero : PlaybackDeadline(sampleRate) - Elapsed;

    /// <summary>Ties something (a timer, a registration) to the job's life.</summary>
    public void Own(IDisposable disposable)
    {
        lock (_gate)
        {
            if (!HasEnded)
            {
                _disposables.Add(disposable);
                return;
            }
        }
        disposable.Dispose();
    }

    /// <summary>Hands a chunk to the consumer.</summary>
    public void Emit(AudioChunk chunk)
    {
        if (Chunks == 0)
            FirstAudio = chunk.Elapsed;
        Chunks++;
        Samples += chunk.Samples.Length;
        if (!HasEnded)
            Output.Write(chunk);
    }

    /// <summary>The terminal transition: happens once, releases everything, and tells the consumer.</summary>
    /// <param name="error">Why, or null where the job is done.</param>
    /// <returns>Whether this call ended the job.</returns>
    public bool TryEnd(Exception? error)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return false;
        Error = error;
        List<IDisposable> owned;
        lock (_gate)
            owned = [.. _disposables];
        foreach (var disposable in owned)
            disposable.Dispose();
        // On the thread pool: what the user's text source does on cancellation must not run on a stage, nor can it fail anything here.
        _ = _cancelled.CancelAsync().ContinueWith(static cancelled =>
            _ = cancelled.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _onEnd(this);
        Output.Complete(error); // last, so that a consumer who sees the end finds the place in the queue free again
        return true;
    }

    /// <summary>Ends the job because an exception that is not one of ours came out of a stage.</summary>
    public bool Fail(Exception cause) =>
        TryEnd(cause as TtsException ?? new TtsSynthesisException(DeviceMemoryFault.Of(cause) is { } numbers
            ? $"The device has no memory left for the request. {numbers} Ask again when others have ended, or end other programs that use the device."
            : $"The request failed in the engine: {cause.Message}", cause));
}
