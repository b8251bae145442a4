using LightTts.Models;

namespace LightTts.Tests.Support;

/// <summary>Passes done from their beginning to their end, as where nothing else is to be done between their parts.</summary>
internal static class Passes
{
    public static void Finish(this IDecodePass? pass)
    {
        using (pass)
            while (pass?.Advance() == true)
            {
            }
    }

    /// <summary>Decodes rows in one pass.</summary>
    public static void Decode(this ISpeechDecoder decoder, IReadOnlyList<DecodeRow> rows) => decoder.Begin(rows).Finish();

    /// <summary>Starts an utterance and computes its voice's prompt where that is to be done.</summary>
    public static IDecodeState Start(this ISpeechDecoder decoder, LightTts.Timbres.TimbreFeatures timbre, DecodeOptions options)
    {
        var state = decoder.CreateState(timbre, options);
        if (state.NeedsPrompt)
            decoder.BeginPrompt(state).Finish();
        return state;
    }
}
