using System.Text.RegularExpressions;
using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Voices;

/// <summary>The voices that a client sees: the model's presets and the client's own. The one place that touches the timbre store.</summary>
internal static partial class VoiceCatalog
{
    private const int MaxName = 40;

    // What OpenAI's voices sound like; the nearest preset answers to their names.
    private static readonly Dictionary<string, string> OpenAIVoices = new(StringComparer.OrdinalIgnoreCase)
    {
        ["alloy"] = "female", ["ash"] = "male", ["ballad"] = "male", ["cedar"] = "male", ["coral"] = "female", ["echo"] = "male", ["fable"] = "male",
        ["marin"] = "female", ["nova"] = "female", ["onyx"] = "male", ["sage"] = "female", ["shimmer"] = "female", ["verse"] = "male",
    };

    /// <summary>The request's voice.</summary>
    /// <exception cref="RequestFailedException">The client has no such voice.</exception>
    public static async ValueTask<SynthesisRequest> WithVoiceAsync(SynthesisRequest request, Style style, Client client, string? name,
        CancellationToken cancellationToken)
    {
        var model = style.Pipeline.Model;
        if (string.IsNullOrEmpty(name))
            return model.DefaultVoice is not null ? request
            : throw new RequestFailedException(Failure.Invalid("This model has no preset voices: name one of yours.", "voice"));
        if (model.Voices.Any(voice => voice.Name == name))
            return request with { Voice = name };
        if (NamePattern().IsMatch(name) && await style.Pipeline.Timbres.GetAsync(client.VoiceNamespace + name, cancellationToken) is { } timbre)
            return request with { Timbre = timbre };
        if (OpenAIVoices.TryGetValue(name, out var kind) && model.Voices.Count > 0)
            return request with { Voice = Nearest(model, name, kind) };
        throw new RequestFailedException(new Failure(StatusCodes.Status400BadRequest, "voice_not_found",
            $"There is no such voice. The voices are: {string.Join(", ", model.Voices.Select(voice => voice.Name))}, and those that you add.", null,
            "voice"));
    }

    /// <summary>The client's own voices.</summary>
    public static async Task<List<(string Name, TimbreInfo Info)>> OwnAsync(Style style, Client client, CancellationToken cancellationToken)
    {
        List<(string Name, TimbreInfo Info)> own = [];
        foreach (var info in await style.Pipeline.Timbres.ListAsync(cancellationToken))
            foreach (var name in info.Names)
                if (name.StartsWith(client.VoiceNamespace, StringComparison.Ordinal) && name[client.VoiceNamespace.Length..] is var mine
                && NamePattern().IsMatch(mine))
                    own.Add((mine, info));
        return own;
    }

    /// <exception cref="RequestFailedException">The name cannot be used.</exception>
    public static async Task<Timbre> AddAsync(Style style, Client client, string name, AudioClip audio, string? transcript,
        CancellationToken cancellationToken)
    {
        if (!NamePattern().IsMatch(name) || name.Length > MaxName)
            throw new RequestFailedException(Failure.Invalid($"A voice's name has 1 to {MaxName} letters, digits, '_' and '-'.", "name"));
        if (style.Pipeline.Model.Voices.Any(voice => voice.Name == name) || OpenAIVoices.ContainsKey(name))
            throw new RequestFailedException(Failure.Invalid("This name belongs to a preset voice. Choose another one.", "name"));
        var timbre = await style.Pipeline.Timbres.AddAsync(audio, transcript, client.VoiceNamespace + name, cancellationToken);
        return timbre;
    }

    /// <summary>Forgets a voice of the client's.</summary>
    /// <returns>Whether there was one.</returns>
    public static async ValueTask<bool> RemoveAsync(Style style, Client client, string name, CancellationToken cancellationToken) =>
        NamePattern().IsMatch(name) && await style.Pipeline.Timbres.RemoveAsync(client.VoiceNamespace + name, cancellationToken);

    /// <summary>The presets of that kind, one for each of OpenAI's voices in turn; any preset where none says what it is.</summary>
    private static string Nearest(TtsModelInfo model, string name, string kind)
    {
        var fitting = model.Voices.Where(voice =>
            Words().Matches(voice.Description ?? "").Any(word => word.Value.Equals(kind, StringComparison.OrdinalIgnoreCase)))
            .Select(voice => voice.Name).ToList();
        if (fitting.Count == 0)
            fitting = [.. model.Voices.Select(voice => voice.Name)];
        var same = OpenAIVoices.Where(voice => voice.Value == kind).Select(voice => voice.Key).Order(StringComparer.Ordinal).ToList();
        return fitting[same.FindIndex(known => known.Equals(name, StringComparison.OrdinalIgnoreCase)) % fitting.Count];
    }

    [GeneratedRegex("^[A-Za-z0-9_-]{1,64}$")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Words();
}
