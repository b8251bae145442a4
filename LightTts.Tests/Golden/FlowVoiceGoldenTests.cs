using LightTts.Tests.Support;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Golden;

/// <summary>The embedded voice's flow against the reference code's, on three real sentences.</summary>
public sealed class FlowVoiceGoldenTests
{
    [Theory]
    [InlineData("ref_0_slt")]
    [InlineData("ref_1_rms")]
    [InlineData("ref_2_us")]
    public void A_sentences_mel_is_the_references(string name)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        using var flow = Flows.TinyEn();
        var voice = Flows.Timbre(file, "prompt_speech_token", "prompt_speech_feat", "embedding");
        var tokens = Flows.Ints(file, "speech_token");
        using (inference_mode())
        {
            var all = voice.SpeechTokens.Concat(tokens).ToArray();
            var mu = flow.Encode(all, final: true, streaming: false);
            Flows.Near(Flows.Fixture(file, "flow_mu"), mu.t().unsqueeze(0), 1e-5);
            Flows.Near(Flows.Fixture(file, "flow_spks"), flow.Speaker(voice.Embedding), 1e-5);
        }
        using var state = flow.Start(voice, streaming: false, steps: 10);
        Flows.Near(Flows.Fixture(file, "mel"), flow.Run(state, tokens, final: true)!, 1e-4);
    }
}
