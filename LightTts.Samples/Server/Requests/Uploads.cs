using LightTts.Extensions.Formats;

namespace LightTts.Samples.Server.Requests;

/// <summary>Reads forms and the audio in them, within limits.</summary>
internal static class Uploads
{
    private const double MinSeconds = 0.5;
    private const double MaxSeconds = 30;

    /// <summary>Reads a form.</summary>
    /// <exception cref="RequestFailedException">It is too large or cannot be parsed.</exception>
    public static async Task<IFormCollection> ReadFormAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
            throw new RequestFailedException(Failure.Invalid("There was an error parsing the body"));
        try
        {
            return await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (InvalidDataException e)
        {
            throw new RequestFailedException(e.Message.Contains("length limit", StringComparison.OrdinalIgnoreCase)
                ? Failure.TooLarge("A part of the form is too large.")
                : Failure.Invalid("There was an error parsing the body"));
        }
    }

    /// <summary>Decodes a reference audio and checks its length, before anything is taken for it.</summary>
    /// <exception cref="TtsAudioException">It cannot be used.</exception>
    public static async Task<AudioClip> DecodeAsync(Stream audio, ServerOptions options, CancellationToken cancellationToken)
    {
        var clip = await AudioDecoder.DecodeAsync(audio, TimeSpan.FromSeconds(MaxSeconds + 1), options.MaxUploadBytes, cancellationToken);
        var seconds = clip.Duration.TotalSeconds;
        if (seconds is < MinSeconds or > MaxSeconds)
            throw new TtsAudioException($"The audio is {seconds:0.###} s long; {MinSeconds:0.#} to {MaxSeconds:0} s of speech are needed.");
        return clip;
    }
}
