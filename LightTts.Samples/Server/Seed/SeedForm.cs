using System.Globalization;
using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Seed;

/// <summary>The fields of <c>/inference_zero_shot</c>, checked as the seed system checks them.</summary>
internal sealed record SeedForm(string Text, string PromptText, IFormFile PromptWav, bool Stream, string Style, double Speed)
{
    /// <exception cref="RequestFailedException">Fields are missing or wrong (422), or what they ask for cannot be done (400).</exception>
    public static SeedForm Parse(IFormCollection form, ServerOptions options)
    {
        List<SeedFormFault> faults = [];
        var text = Required(form, "tts_text", faults);
        var prompt = Required(form, "prompt_text", faults);
        var wav = form.Files.GetFile("prompt_wav");
        if (wav is null)
            faults.Add(form.TryGetValue("prompt_wav", out var instead) && Last(instead) is { Length: > 0 } sent
                ? SeedFormFault.NotFile("prompt_wav", sent) : SeedFormFault.Missing("prompt_wav"));
        var stream = Bool(form, "stream", faults);
        var speed = Float(form, "speed", faults);
        if (faults.Count > 0)
            throw new RequestFailedException(new SeedFormFailure(faults));

        if (stream && speed != 1)
            throw new RequestFailedException(Failure.Invalid(SeedAnswers.NoStreamSpeed));
        if (!(speed >= 0.25 && speed <= 4))
            throw new RequestFailedException(Failure.Invalid("speed must be from 0.25 to 4"));
        if (text.Length > options.MaxTextLength)
            throw new RequestFailedException(Failure.TooLarge($"tts_text has {text.Length} characters, the limit is {options.MaxTextLength}"));
        if (prompt.Length > options.MaxPromptTextLength)
            throw new RequestFailedException(Failure.TooLarge($"prompt_text has {prompt.Length} characters, the limit is "
            + $"{options.MaxPromptTextLength}"));
        return new SeedForm(text, prompt, wav!, stream, Last(form["tts_model_name"]) is { Length: > 0 } style ? style : "default", speed);
    }

    private static string Required(IFormCollection form, string field, List<SeedFormFault> faults)
    {
        if (Last(form[field]) is { Length: > 0 } value)
            return value;
        faults.Add(SeedFormFault.Missing(field));
        return "";
    }

    private static bool Bool(IFormCollection form, string field, List<SeedFormFault> faults)
    {
        var value = Last(form[field]);
        switch (value.ToLowerInvariant())
        {
            case "true" or "1" or "on" or "yes" or "t" or "y":
                return true;
            case "" or "false" or "0" or "off" or "no" or "f" or "n":
                return false;
            default:
                faults.Add(SeedFormFault.NotBool(field, value));
                return false;
        }
    }

    private static double Float(IFormCollection form, string field, List<SeedFormFault> faults)
    {
        var value = Last(form[field]).Trim();
        if (value.Length == 0)
            return 1;
        if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return number;
        if (value.TrimStart('+', '-').ToLowerInvariant() is "nan" or "inf" or "infinity")
            return double.NaN; // numbers to the seed's parser, and none that can be a speed
        faults.Add(SeedFormFault.NotFloat(field, value));
        return 1;
    }

    /// <summary>Of a field that comes several times, the last one counts.</summary>
    private static string Last(Microsoft.Extensions.Primitives.StringValues values) => values.Count == 0 ? "" : values[^1] ?? "";
}
