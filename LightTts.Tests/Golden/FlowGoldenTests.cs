using System.Security.Cryptography;
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
    [InlineData("cv3", "mel.offline", false)]
    [InlineData("cv3", "mel.stream_full", true)]
    [InlineData("cv2", "mel.offline", false)]
    [InlineData("cv2", "mel.stream_full", true)]
    public void A_whole_utterance_is_the_references(string model, string expected, bool streaming)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Golden($"main/flow_{model}.safetensors"));
        using var flow = Flows.Golden(model);
        using var state = flow.Start(Voice(file), streaming, Steps);
        Flows.Near(Flows.Fixture(file, expected), flow.Run(state, Flows.Ints(file, "token"), final: true)!, Tolerance);
    }

    [Theory]
    [InlineData("cv3")]
    [InlineData("cv2")]
    public void Chunks_are_the_references(string model)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Golden($"main/flow_{model}.safetensors"));
        using var flow = Flows.Golden(model);
        var tokens = Flows.Ints(file, "token");
        using var state = flow.Start(Voice(file), streaming: true, Steps);
        var runs = Repo.Manifest($"main/flow_{model}").GetProperty("runs");
        var (chunk1, chunk2) = (runs.GetProperty("chunk1").GetProperty("tokens").GetInt32(),
            runs.GetProperty("chunk2").GetProperty("tokens").GetInt32());
        var prompt = (int)file.Tensors["prompt_token"].Shape[1];
        Assert.Equal(0, (prompt + chunk1 - 3) % 25);
        Assert.Equal(25 - prompt % 25 + 3, state.TokensWanted); // to the end of the chunk that the prompt's last frame lies in, and three to look at
        var least = state.TokensWanted;
        Assert.Null(flow.Run(state, tokens.AsMemory(0, least - 1), final: false));
        Assert.Equal(1, state.TokensWanted);
        var first = flow.Run(state, tokens.AsMemory(least - 1, chunk1 - least + 1), final: false)!;
        Flows.Near(Flows.Fixture(file, "mel.chunk1"), first, Tolerance);
        var second = flow.Run(state, tokens.AsMemory(chunk1, chunk2 - chunk1), final: false)!;
        Flows.Near(Flows.Fixture(file, "mel.chunk2"), cat([first, second], 2), Tolerance);
        var rest = flow.Run(state, tokens.AsMemory(chunk2), final: true)!;
        Flows.Near(Flows.Fixture(file, "mel.stream_full"), cat([first, second, rest], 2), Tolerance);
    }

    [Theory]
    [InlineData("cv3")]
    [InlineData("cv2")]
    public void Encoding_speaker_and_solver_steps_are_the_references(string model)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var file = SafetensorsFile.Open(Repo.Golden($"main/flow_{model}.safetensors"));
        using var flow = Flows.Golden(model);
        var promptTokens = Flows.Ints(file, "prompt_token");
        var promptFrames = (int)file.Tensors["prompt_feat"].Shape[1];
        var chunk1 = Repo.Manifest($"main/flow_{model}").GetProperty("runs").GetProperty("chunk1").GetProperty("tokens").GetInt32();
        var count = 2 * (promptTokens.Length + chunk1 - 3);
        var all = promptTokens.Concat(Flows.Ints(file, "token")).ToArray();
        Flows.Near(Flows.Fixture(file, "offline.mu"), Channels(flow.Encode(all, final: true, streaming: false)), 1e-5);
        var chunk = flow.Encode(all.AsMemory(0, promptTokens.Length + chunk1), final: false, streaming: true);
        Flows.Near(Flows.Fixture(file, "chunk1.mu"), Channels(chunk), 1e-5);
        var speaker = flow.Speaker(file.Tensors["embedding"].ToSingles());
        Flows.Near(Flows.Fixture(file, "chunk1.spks"), speaker, 1e-5);
        Flows.Near(Flows.Fixture(file, "offline.spks"), speaker, 1e-5);
        Flows.Near(Flows.Fixture(file, "chunk1.t"), tensor(FlowTimes.Cosine(Steps)[..Steps]), 0);
        Flows.Near(Flows.Fixture(file, "offline.t"), tensor(FlowTimes.Cosine(Steps)[..Steps]), 0);

        var condition = cat([Flows.Fixture(file, "prompt_feat")[0], zeros(count - promptFrames, 80)], 0);
        var segment = new FlowSegment
        {
            Start = 0, Count = count, Chunk = 50, Mu = chunk, Condition = condition, Speaker = speaker,
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
        Flows.Near(Flows.Fixture(file, "mel.chunk1"), Channels(mel.narrow(0, promptFrames, count - promptFrames)), Tolerance);
    }

    [Theory]
    [InlineData("cv3")]
    [InlineData("cv2")]
    public void A_pass_that_keeps_its_look_ahead_back_is_the_references_under_the_offline_mask(string model)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var file = SafetensorsFile.Open(Repo.Golden($"main/flow_{model}.safetensors"));
        using var flow = Flows.Golden(model);
        var all = Flows.Ints(file, "prompt_token").Concat(Flows.Ints(file, "token")).ToArray();
        var promptFrames = (int)file.Tensors["prompt_feat"].Shape[1];
        var count = 2 * (all.Length - 3);
        var segment = new FlowSegment
        {
            Start = 0,
            Count = count,
            Chunk = 0,
            Mu = flow.Encode(all, final: false, streaming: false),
            Condition = cat([Flows.Fixture(file, "prompt_feat")[0], zeros(count - promptFrames, 80)], 0),
            Speaker = flow.Speaker(file.Tensors["embedding"].ToSingles()),
        };
        var mel = flow.Solve(segment, Steps);
        Flows.Near(Flows.Fixture(file, "mel.nonstream_not_final"), Channels(mel.narrow(0, promptFrames, count - promptFrames)), Tolerance);
    }

    [Fact]
    public void The_noise_is_the_references_bit_for_bit_and_leaves_the_global_generator_alone()
    {
        using var scope = NewDisposeScope();
        using var full = SafetensorsFile.Open(Repo.Golden("fullsize/noise_cv3.safetensors"));
        var before = torch.random.get_rng_state().bytes.ToArray();
        var noise = FlowNoise.Create(80, CPU);
        Assert.Equal(before, torch.random.get_rng_state().bytes.ToArray());
        Flows.Near(Flows.Fixture(full, "rand_noise_first_64_frames"), Channels(noise.narrow(0, 0, 64)), 0);
        Flows.Near(Flows.Fixture(full, "rand_noise_last_4_frames"), Channels(noise.narrow(0, FlowNoise.Frames - 4, 4)), 0);
        var bytes = Channels(noise).contiguous().bytes;
        Assert.Equal(4 * 80 * FlowNoise.Frames, bytes.Length);
        var hash = Repo.Manifest("fullsize/noise_cv3").GetProperty("check").GetProperty("sha256 z").GetString();
        Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    [Fact]
    public void The_noises_first_frames_are_those_that_the_fixtures_model_had()
    {
        using var scope = NewDisposeScope();
        using var head = SafetensorsFile.Open(Repo.Golden("main/cfm_rand_noise_head.safetensors"));
        var (name, entry) = Assert.Single(head.Tensors);
        Flows.Near(Flows.Fixture(head, name), Channels(FlowNoise.Create(80, CPU).narrow(0, 0, entry.Shape[2])), 0);
    }

    /// <summary>CosyVoice2's vocoder is given the last 8 frames again, CosyVoice3's all of them.</summary>
    [Theory]
    [InlineData("cv3", int.MaxValue)]
    [InlineData("cv2", 8)]
    public void The_reference_pipelines_flow_calls_are_met(string model, int again)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Golden($"main/token2wav_{model}.safetensors"));
        using var flow = Flows.Golden(model);
        var (voice, tokens) = (Voice(file), Flows.Ints(file, "token"));
        using var whole = flow.Start(voice, streaming: false, Steps);
        var offline = flow.Run(whole, tokens, final: true)!;
        Flows.Near(Flows.Fixture(file, "offline.hift_in_0"), offline, Tolerance);

        using var state = flow.Start(voice, streaming: true, Steps);
        int[] ends = [.. Repo.Manifest($"main/token2wav_{model}").GetProperty("runs").GetProperty("stream").GetProperty("calls").EnumerateArray()
            .Where(call => call.GetProperty("what").GetString() == "flow").Select(call => call.GetProperty("tokens").GetInt32())];
        Assert.Equal(tokens.Length, ends[^1]);
        List<Tensor> mels = [];
        for (var (call, at) = (0, 0); call < ends.Length - 1; at = ends[call++])
        {
            mels.Add(flow.Run(state, tokens.AsMemory(at, ends[call] - at), final: false)!);
            Flows.Near(Flows.Fixture(file, $"stream.hift_in_{call}"), Given(mels[^1].shape[2]), Tolerance);
        }
        // The reference's last call drops the chunk mask, ours keeps it: what it repeats is compared
        // with the reference, what it adds with one pass over the whole utterance under the
        // same mask, which other tests hold to the reference.
        var repeated = Given(0);
        var before = cat(mels, 2).shape[2];
        Flows.Near(Flows.Fixture(file, $"stream.hift_in_{ends.Length - 1}").narrow(2, 0, repeated.shape[2]), repeated, Tolerance);
        mels.Add(flow.Run(state, tokens.AsMemory(ends[^2]), final: true)!);
        using var single = flow.Start(voice, streaming: true, Steps);
        Flows.Near(flow.Run(single, tokens, final: true)!, cat(mels, 2), Tolerance);
        Assert.Equal(2 * tokens.Length, before + mels[^1].shape[2]);

        // What the reference's vocoder is given with so many new frames at the end.
        Tensor Given(long fresh)
        {
            var all = cat(mels, 2);
            var old = Math.Min(again, all.shape[2] - fresh);
            return all.narrow(2, all.shape[2] - fresh - old, fresh + old);
        }
    }

    private static LightTts.Timbres.TimbreFeatures Voice(SafetensorsFile file) => Flows.Timbre(file, "prompt_token", "prompt_feat", "embedding");

    /// <summary>[n, 80] -> [1, 80, n]</summary>
    private static Tensor Channels(Tensor frames) => frames.t().unsqueeze(0);
}
