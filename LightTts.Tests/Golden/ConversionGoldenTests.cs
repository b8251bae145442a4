using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Golden;

/// <summary>The source's side of voice conversion (frontend_vc) against the reference's; flow and vocoder are held to it by theirs.</summary>
public sealed class ConversionGoldenTests
{
    [Theory]
    [InlineData("cv3", "cosyvoice3-tiny", "speech_tokenizer_v3.onnx")]
    [InlineData("cv2", "cosyvoice2-tiny", "speech_tokenizer_v2.onnx")]
    public void Source_tokens_match(string version, string model, string file)
    {
        using var tokenizer = SpeechTokenizer.Load(Repo.Golden($"main/models/{model}/{file}"), new OnnxOptions { Threads = 1 });
        var feed = new SourceFeed(tokenizer, int.MaxValue, live: false);
        Assert.Null(feed.Next());
        feed.Push(AudioClip.FromWavFile(Repo.Golden("main/source_16k_mono.wav")));
        feed.Complete();
        var part = feed.Next()!.Value;
        using var golden = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        Assert.Equal(golden.Tensors[$"{version}.vc.source_speech_token"].ToInt64s(), part.Tokens.Select(id => (long)id));
        Assert.True(part is { EndsUtterance: true, IsLast: true });
    }
}
