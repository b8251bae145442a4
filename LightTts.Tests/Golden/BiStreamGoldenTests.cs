using System.Text.Json;
using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Pipeline;
using LightTts.Tests.Support;

namespace LightTts.Tests.Golden;

/// <summary>The sequence of inputs of a bi-streamed utterance, for scripted draws.</summary>
public class BiStreamGoldenTests
{
    public static TheoryData<string, string, int> Cases()
    {
        var data = new TheoryData<string, string, int>();
        foreach (var model in (string[])["cv3", "cv2"])
            foreach (var name in (string[])["forced_fill_only", "early_fill", "no_prompt_speech", "short_text"])
                foreach (var piece in (int[])[1, 4, int.MaxValue])
                    data.Add(model, name, piece);
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void FeedsWhatTheReferenceFeedsHoweverTheTextArrives(string model, string name, int piece)
    {
        var script = BiStreamScript.Load(model, name);
        var stream = script.Stream();
        var inputs = new List<int[]>();
        var sounds = new List<int>();
        for (var at = 0; at < script.Text.Length; at += Math.Min(piece, script.Text.Length - at))
        {
            stream.Push(script.Text.AsSpan(at, Math.Min(piece, script.Text.Length - at)));
            Run();
        }

        Assert.True(stream.WaitingForText);
        stream.CompleteText();
        Run();
        Assert.Equal(LightTts.FinishReason.Stop, stream.FinishReason);
        Assert.Equal(script.Inputs.Length, inputs.Count);
        for (var i = 0; i < inputs.Count; i++)
            Assert.Equal(script.Inputs[i], inputs[i]);
        Assert.Equal(script.Sounds, sounds);

        void Run()
        {
            while (stream.Ready)
            {
                inputs.Add(stream.Pending.ToArray());
                var token = stream.Accept(stream.Draw is { } draw ? script.Sample(draw) : -1);
                if (token >= 0)
                    sounds.Add(token);
            }
        }
    }
}

/// <summary>A case of llm_bistream_*.json.</summary>
internal sealed class BiStreamScript
{
    private const int EndOfPrompt = 151646;

    private readonly Dictionary<int, int> _scripted;
    private int _samples;
    private int _final;

    private BiStreamScript(JsonElement json, SpeechVocabulary vocabulary)
    {
        Vocabulary = vocabulary;
        PromptText = Ints(json.GetProperty("prompt_text"));
        Text = Ints(json.GetProperty("text_tokens_one_by_one"));
        PromptSpeech = Ints(json.GetProperty("prompt_speech_token"));
        Sounds = Ints(json.GetProperty("yielded"));
        Inputs = [.. json.GetProperty("llm_inputs").EnumerateArray().Select(call =>
            call.EnumerateArray().Select(row => Encode(row.GetString()!)).ToArray())];
        _scripted = json.GetProperty("scripted_samples").EnumerateObject().ToDictionary(pair => int.Parse(pair.Name), pair => pair.Value.GetInt32());
    }

    public SpeechVocabulary Vocabulary { get; }

    public int[] PromptText { get; }

    public int[] Text { get; }

    public int[] PromptSpeech { get; }

    public int[][] Inputs { get; }

    /// <summary>What the reference hands to the decoder.</summary>
    public int[] Sounds { get; }

    public static BiStreamScript Load(string model, string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Repo.Golden($"main/llm_bistream_{model}.json")));
        var vocabulary = model == "cv3" ? LanguageModels.Vocabulary(CosyVoiceGeneration.V3, 512)
            : LanguageModels.Vocabulary(CosyVoiceGeneration.V2, 400);
        return new BiStreamScript(json.RootElement.GetProperty(name), vocabulary);
    }

    // The silence filter is not part of these fixtures.
    public BiStreamTokenStream Stream() => new(
        Vocabulary with { SilentTokens = new HashSet<int>() }, PromptText, Array.IndexOf(PromptText, EndOfPrompt) + 1, PromptSpeech, maxTokens: null,
        seed: 0);

    /// <summary>The fixture's stand-in for sampling.</summary>
    public int Sample(TokenDraw draw)
    {
        var k = _samples++;
        if (!draw.IgnoreEos && _final++ >= 6)
            return Vocabulary.Eos;
        return _scripted.TryGetValue(k, out var token) ? token : (37 * k + 11) % Vocabulary.Size;
    }

    private int Encode(string row)
    {
        var parts = row.Split(':');
        var id = int.Parse(parts[1]);
        return parts[0] switch
        {
            "text" => id,
            "llm_embedding" => ~(Vocabulary.LogitCount + id),
            _ => ~id,
        };
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];
}
