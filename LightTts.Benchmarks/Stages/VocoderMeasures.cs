using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Timbres;
using static TorchSharp.torch;

namespace LightTts.Benchmarks.Stages;

/// <summary>Times of the vocoder's passes, the copy of the samples to the host included.</summary>
/// <param name="decoder">Used on its own thread only.</param>
/// <param name="device">Where it runs.</param>
/// <param name="melBands">Of its input.</param>
/// <param name="embedding">Numbers of a voice's embedding.</param>
/// <param name="clock">Takes the time.</param>
internal sealed class VocoderMeasures(CosyVoiceDecoder decoder, Device device, int melBands, int embedding, PassClock clock)
{
    private const int Chunks = 8; // that count, of a stream

    /// <summary>An utterance of so many frames at once.</summary>
    public Series Whole(int frames) => clock.Take(values => Run(1, frames, streaming: false, 1, values));

    /// <summary>A chunk of so many frames of each of so many streams, behind their first.</summary>
    public Series Chunk(int rows, int frames) => clock.Take(values =>
    {
        List<double> all = [];
        Run(rows, frames, streaming: true, Chunks + 1, all);
        values.AddRange(all.Skip(1));
    }).Each(rows);

    private void Run(int rows, int frames, bool streaming, int passes, List<double> values)
    {
        var voice = new TimbreFeatures(null, [], [], 0, new float[embedding]);
        List<CosyVoiceDecodeState> states = [.. Enumerable.Range(0, rows).Select(_ =>
            (CosyVoiceDecodeState)decoder.CreateState(voice, new DecodeOptions(streaming, FlowSteps: 1, Speed: 1)))];
        var mels = states.ConvertAll(_ => Mel(frames));
        for (var i = 0; i < passes; i++)
        {
            List<VocoderRow> work = [.. states.Zip(mels, (state, mel) =>
                new VocoderRow { State = state.Vocoder, Mel = mel, Final = !streaming })];
            values.Add(clock.Pass(() =>
            {
                using var pass = decoder.BeginVocoder(work);
                while (pass.Advance())
                {
                }
            }));
            if (work.Find(row => row.Error is not null) is { Error: { } error })
                throw new TtsSynthesisException($"The vocoder failed: {error.Message}", error);
        }
        mels.ForEach(mel => mel.Dispose());
        states.ForEach(state => state.Dispose());
    }

    // Numbers as those of speech: natural logarithms of magnitudes.
    private Tensor Mel(int frames)
    {
        using var scope = NewDisposeScope();
        return (randn([1, melBands, frames], ScalarType.Float32, device) - 5).DetachFromDisposeScope();
    }
}
