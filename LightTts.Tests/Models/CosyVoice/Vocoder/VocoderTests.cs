using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Vocoder;

/// <summary>Streamed, tiled and batched vocoding against the whole utterance alone.</summary>
public class VocoderTests(ITestOutputHelper output)
{
    private const int Hop = 480;

    [Theory]
    [InlineData(1, 8)]
    [InlineData(2, 8)]
    [InlineData(3, 5)]
    public void Pieces_joined_equal_the_whole(int seed, int held)
    {
        using var vocoder = Load(held);
        using var mel = Mel(seed, 90);
        var whole = vocoder.Run(mel);
        Assert.Equal(90 * Hop, whole.Length);
        var random = new Random(seed);
        using var state = vocoder.CreateState();
        List<float> joined = [];
        for (var at = 0; at < 90;)
        {
            var count = Math.Min(90 - at, random.Next(1, 23));
            var row = Row(state, mel, at, count, at + count == 90);
            vocoder.Run([row]);
            Assert.Null(row.Error);
            at += count;
            joined.AddRange(row.Samples);
            if (at < 90)
                Assert.Equal(Math.Max(0, at - held) * Hop, joined.Count);
        }
        Equal(whole, joined.ToArray());
    }

    [Fact]
    public void Last_call_may_bring_no_frames()
    {
        using var vocoder = Load();
        using var mel = Mel(4, 30);
        using var state = vocoder.CreateState();
        VocoderRow[] calls = [Row(state, mel, 0, 30, false), Row(state, mel, 30, 0, true)];
        foreach (var call in calls)
            vocoder.Run([call]);
        Assert.All(calls, call => Assert.Null(call.Error));
        Equal(vocoder.Run(mel), [.. calls[0].Samples, .. calls[1].Samples]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Short_utterances_have_all_their_samples(int frames)
    {
        using var vocoder = Load();
        using var mel = Mel(5, frames);
        var samples = vocoder.Run(mel);
        Assert.Equal(frames * Hop, samples.Length);
        Assert.All(samples, s => Assert.InRange(s, -0.99f, 0.99f));
    }

    [Fact]
    public void No_frames_make_no_samples()
    {
        using var vocoder = Load();
        using var mel = zeros(1, 80, 0);
        Assert.Empty(vocoder.Run(mel));
    }

    [Fact]
    public void Rows_of_a_batch_equal_each_alone()
    {
        using var vocoder = Load();
        Tensor[] mels = [Mel(6, 60), Mel(7, 60), Mel(8, 41)];
        var alone = mels.Select(vocoder.Run).ToArray();
        var states = mels.Select(_ => vocoder.CreateState()).ToArray();
        var joined = mels.Select(_ => new List<float>()).ToArray();
        // The third row joins a pass later and ends at another length, so that rows meet in different positions and groups.
        int[][] cuts = [[0, 20, 40, 60, 60], [0, 20, 40, 60, 60], [0, 0, 20, 30, 41]];
        for (var call = 0; call + 1 < cuts[0].Length; call++)
        {
            var rows = mels.Select((mel, i) =>
                (Row: Row(states[i], mel, cuts[i][call], cuts[i][call + 1] - cuts[i][call], cuts[i][call + 1] == mel.shape[2]), i))
                .Where(r => r.Row.Mel.shape[2] > 0).ToArray();
            vocoder.Run([.. rows.Select(r => r.Row)]);
            foreach (var (row, i) in rows)
            {
                Assert.Null(row.Error);
                joined[i].AddRange(row.Samples);
            }
        }
        for (var i = 0; i < mels.Length; i++)
            Equal(alone[i], joined[i].ToArray());
    }

    [Fact]
    public void Row_that_cannot_run_leaves_the_others_alone()
    {
        using var vocoder = Load();
        using var mel = Mel(9, 20);
        using var wrong = zeros(1, 79, 20);
        using var good = vocoder.CreateState();
        using var bad = vocoder.CreateState();
        using var over = vocoder.CreateState();
        over.Dispose();
        VocoderRow[] rows = [new() { State = bad, Mel = wrong, Final = true }, Row(good, mel, 0, 20, true), Row(over, mel, 0, 20, true)];
        vocoder.Run(rows);
        Assert.IsType<ArgumentException>(rows[0].Error);
        Assert.Null(rows[1].Error);
        Assert.IsType<InvalidOperationException>(rows[2].Error);
        Equal(vocoder.Run(mel), rows[1].Samples);
    }

    [Fact]
    public void State_does_not_grow_and_is_freed()
    {
        using var vocoder = Load();
        using var mel = Mel(10, 100);
        using var state = vocoder.CreateState();
        vocoder.Run([Row(state, mel, 0, 50, false)]);
        var first = state.CacheBytes;
        vocoder.Run([Row(state, mel, 50, 30, false)]);
        Assert.Equal(first, state.CacheBytes);
        Assert.InRange(first, 1, 4_000_000);
        vocoder.Run([Row(state, mel, 80, 20, true)]);
        Assert.Equal(0, state.CacheBytes);
    }

    [Fact]
    public void Nothing_of_a_pass_stays_behind()
    {
        using var vocoder = Load();
        using var mel = Mel(11, 40);
        vocoder.Run(mel);
        using var piece = mel.narrow(2, 0, 12);
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        vocoder.Run(mel);
        using (var state = vocoder.CreateState())
        {
            vocoder.Run([new() { State = state, Mel = piece, Final = false }]);
            vocoder.Run([new() { State = state, Mel = piece, Final = false }]);
        }
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData(1.3)]
    [InlineData(0.7)]
    public void Stretch_interpolates_between_frame_centres(double speed)
    {
        using var mel = Mel(12, 37);
        using var stretched = CosyVoiceDecoder.Stretch(mel, speed);
        var size = (int)(37 / speed);
        Assert.Equal([1, 80, size], stretched.shape);
        for (var i = 0; i < size; i++)
        {
            var at = Math.Max(0, (i + 0.5) * 37 / size - 0.5);
            var (low, high) = ((int)at, Math.Min((int)at + 1, 36));
            var expected = mel[0, 3, low].item<float>() * (1 - (at - low)) + mel[0, 3, high].item<float>() * (at - low);
            Assert.Equal(expected, stretched[0, 3, i].item<float>(), 1e-5);
        }
    }

    private protected static VocoderRow Row(IVocoderState state, Tensor mel, long at, long count, bool final) =>
        new() { State = state, Mel = mel.narrow(2, at, count), Final = final };

    private protected static Tensor Mel(int seed, int frames)
    {
        using var generator = new Generator((ulong)seed);
        return randn([1, 80, frames], generator: generator);
    }

    private protected virtual IVocoder Load(int held = 8)
    {
        using var archive = PyTorchCheckpoint.Open(Repo.Golden("main/models/cosyvoice3-tiny/hift.pt"));
        return HiftVocoder.Load(archive, Vocoders.Config(24, 20), LightTts.Torch.TorchDevice.Cpu, new Vocoders.Weyl(), held);
    }

    private protected void Equal(float[] expected, float[] actual)
    {
        var difference = Vocoders.MaxDifference(expected, actual);
        output.WriteLine($"{difference}");
        Assert.True(difference < 1e-5f, $"differs by {difference}");
    }
}
