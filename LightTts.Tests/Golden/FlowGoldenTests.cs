using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Tests.Support;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Golden;

/// <summary>The flow against the reference's: whole, in chunks, and its parts.</summary>
public sealed class FlowGoldenTests
{
    private const double Tolerance = 1e-4;
    private const int Steps = 10;

    [Theory]
    [InlineData("mel.offline", false)]
    [InlineData("mel.stream_full", true)]
    public void A_whole_utterance_is_the_references(string expected, bool streaming)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_cv3.safetensors"));
        using var flow = Flows.Golden();
        using var state = flow.Start(Voice(file), streaming, Steps);
        Flows.Near(Flows.Fixture(file, expected), flow.Run(state, Flows.Ints(file, "token"), final: true)!, Tolerance);
    }

    [Fact]
    public void Chunks_are_the_references()
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_cv3.safetensors"));
        using var flow = Flows.Golden();
        var tokens = Flows.Ints(file, "token");
        using var state = flow.Start(Voice(file), streaming: true, Steps);
        Assert.Equal(28, state.TokensWanted);
        Assert.Null(flow.Run(state, tokens.AsMemory(0, 27), final: false));
        Assert.Equal(1, state.TokensWanted);
        var first = flow.Run(state, tokens.AsMemory(27, 1), final: false)!;
        Flows.Near(Flows.Fixture(file, "mel.chunk1"), first, Tolerance);
        var second = flow.Run(state, tokens.AsMemory(28, 25), final: false)!;
        Flows.Near(Flows.Fixture(file, "mel.chunk2"), cat([first, second], 2), Tolerance);
        var rest = flow.Run(state, tokens.AsMemory(53), final: true)!;
        Flows.Near(Flows.Fixture(file, "mel.stream_full"), cat([first, second, rest], 2), Tolerance);
    }

    [Fact]
    public void Encoding_speaker_and_solver_steps_are_the_references()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_cv3.safetensors"));
        using var flow = Flows.Golden();
        var all = Flows.Ints(file, "prompt_token").Concat(Flows.Ints(file, "token")).ToArray();
        Flows.Near(Flows.Fixture(file, "offline.mu"), Channels(flow.Encoder.Encode(all, true, null).Mu), 1e-5);
        var chunk = flow.Encoder.Encode(all.AsSpan(0, 53), false, null).Mu;
        Flows.Near(Flows.Fixture(file, "chunk1.mu"), Channels(chunk), 1e-5);
        var speaker = flow.Speaker(file.Tensors["embedding"].ToSingles());
        Flows.Near(Flows.Fixture(file, "chunk1.spks"), speaker, 1e-5);
        Flows.Near(Flows.Fixture(file, "chunk1.t"), tensor(FlowTimes.Cosine(Steps)[..Steps]), 0);

        var condition = cat([Flows.Fixture(file, "prompt_feat")[0], zeros(50, 80)], 0);
        var segment = new FlowSegment
        {
            Start = 0, Count = 100, Chunk = 50, Mu = chunk, Condition = condition, Speaker = speaker,
        };
        var seen = 0;
        var mel = flow.Solve(segment, Steps, (step, x, velocity) =>
        {
            seen++;
            if (step == 0)
                Flows.Near(Flows.Fixture(file, "chunk1.est_out_step0"), velocity.transpose(1, 2), 5e-5);
            if (step == 5)
                Flows.Near(Flows.Fixture(file, "chunk1.x_step5"), Channels(x), Tolerance);
        });
        Assert.Equal(Steps, seen);
        Flows.Near(Flows.Fixture(file, "mel.chunk1"), Channels(mel.narrow(0, 50, 50)), Tolerance);
    }

    [Fact]
    public void A_pass_that_keeps_its_look_ahead_back_is_the_references_under_the_offline_mask()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_cv3.safetensors"));
        using var flow = Flows.Golden();
        var all = Flows.Ints(file, "prompt_token").Concat(Flows.Ints(file, "token")).ToArray();
        var segment = new FlowSegment
        {
            Start = 0,
            Count = 158,
            Chunk = 0,
            Mu = flow.Encoder.Encode(all, false, null).Mu,
            Condition = cat([Flows.Fixture(file, "prompt_feat")[0], zeros(108, 80)], 0),
            Speaker = flow.Speaker(file.Tensors["embedding"].ToSingles()),
        };
        var mel = flow.Solve(segment, Steps);
        Flows.Near(Flows.Fixture(file, "mel.nonstream_not_final"), Channels(mel.narrow(0, 50, 108)), Tolerance);
    }

    [Fact]
    public void The_noise_is_the_references_bit_for_bit_and_leaves_the_global_generator_alone()
    {
        using var scope = NewDisposeScope();
        using var head = SafetensorsFile.Open(Repo.Golden("main/cfm_rand_noise_head.safetensors"));
        using var full = SafetensorsFile.Open(Repo.Golden("fullsize/noise_cv3.safetensors"));
        var before = torch.random.get_rng_state().bytes.ToArray();
        var noise = FlowNoise.Create(80, CPU);
        Assert.Equal(before, torch.random.get_rng_state().bytes.ToArray());
        Flows.Near(Flows.Fixture(head, "rand_noise_first_264_frames"), Channels(noise.narrow(0, 0, 264)), 0);
        Flows.Near(Flows.Fixture(full, "rand_noise_last_4_frames"), Channels(noise.narrow(0, FlowNoise.Frames - 4, 4)), 0);
    }

    [Fact]
    public void The_reference_pipelines_flow_calls_are_met()
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Golden("main/token2wav_cv3.safetensors"));
        using var flow = Flows.Golden();
        var (voice, tokens) = (Voice(file), Flows.Ints(file, "token"));
        using var whole = flow.Start(voice, streaming: false, Steps);
        var offline = flow.Run(whole, tokens, final: true)!;
        Flows.Near(Flows.Fixture(file, "offline.hift_in_0"), offline, Tolerance);

        using var state = flow.Start(voice, streaming: true, Steps);
        var first = flow.Run(state, tokens.AsMemory(0, 30), final: false)!;
        Flows.Near(Flows.Fixture(file, "stream.hift_in_0"), first, Tolerance);
        var second = flow.Run(state, tokens.AsMemory(30, 50), final: false)!;
        var joined = cat([first, second], 2);
        Flows.Near(Flows.Fixture(file, "stream.hift_in_1"), joined, Tolerance);
        // The reference's last call drops the chunk mask; ours keeps it, so only its composition is compared.
        Flows.Near(Flows.Fixture(file, "stream.hift_in_2"), cat([joined, offline.narrow(2, 154, 10)], 2), Tolerance);
    }

    private static LightTts.Timbres.TimbreFeatures Voice(SafetensorsFile file) => Flows.Timbre(file, "prompt_token", "prompt_feat", "embedding");

    /// <summary>[n, 80] -> [1, 80, n]</summary>
    private static Tensor Channels(Tensor frames) => frames.t().unsqueeze(0);
}
