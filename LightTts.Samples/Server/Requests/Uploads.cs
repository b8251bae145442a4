using LightTts.Extensions.Formats;

namespace LightTts.Samples.Server.Requests;

/// <summary>Reads forms and the audio in them, within limits.</summary>
internal static class Uploads
{
    private const double MinSeconds = 0.5;
    private const double MaxSeconds = 30;
    private const string Range = "0.5 to 30 s of speech";

    /// <summary>Reads a form.</summary>
    /// <exception cref="RequestFailedException">It is too large, too slow, or cannot be parsed.</exception>
    public static async Task<IFormCollection> ReadFormAsync(HttpContext context, ServerOptions options, TimeProvider time)
    {
        if (!context.Request.HasFormContentType)
            throw new RequestFailedException(Failure.Invalid("There was an error parsing the body"));
        try
        {
            return await InTimeAsync(context, options, time, token => context.Request.ReadFormAsync(token));
        }
        catch (InvalidDataException e)
        {
            throw new RequestFailedException(e.Message.Contains("length limit", StringComparison.OrdinalIgnoreCase)
                ? Failure.TooLarge("A part of the form is too large.")
                : Failure.Invalid("There was an error parsing the body"));
        }
    }

    /// <summary>Reads a body within the time of a request: one that is just fast enough for the minimum rate could last for days.</summary>
    /// <exception cref="RequestFailedException">Its time is over.</exception>
    public static async Task<T> InTimeAsync<T>(HttpContext context, ServerOptions options, TimeProvider time, Func<CancellationToken, Task<T>> read)
    {
        using var late = new CancellationTokenSource(options.RequestTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
        try
        {
            return await read(either.Token);
        }
        catch (Exception) when (late.IsCancellationRequested)
        {
            // The framework ends the connection when it gives up a form; the log says why all the same.
            throw new RequestFailedException(new Failure(StatusCodes.Status408RequestTimeout, "upload_timeout",
                $"The body did not come within {options.RequestTimeout.TotalSeconds:0} s."));
        }
    }

    /// <summary>Decodes a reference audio and checks its length, before anything is taken for it.</summary>
    /// <exception cref="TtsAudioException">It cannot be read.</exception>
    /// <exception cref="RequestFailedException">It is too short or too long.</exception>
    public static async Task<AudioClip> DecodeAsync(Stream audio, ServerOptions options, CancellationToken cancellationToken)
    {
        AudioClip clip;
        try
        {
            clip = await AudioDecoder.DecodeAsync(audio, TimeSpan.FromSeconds(MaxSeconds + 1), options.MaxUploadBytes, cancellationToken);
        }
        catch (TtsAudioException e) when (e.Message.Contains("s are read.", StringComparison.Ordinal))
        {
            throw new RequestFailedException(Failure.AudioLength($"The prompt audio is too long; {Range} are needed."));
        }
        var seconds = clip.Duration.TotalSeconds;
        if (seconds is < MinSeconds or > MaxSeconds)
            throw new RequestFailedException(Failure.AudioLength($"The prompt audio is {seconds:0.###} s long; {Range} are needed."));
        return clip;
    }
}
