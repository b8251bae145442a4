using System.Globalization;
using LightTts.Tests.Pipeline;
using LightTts.Tests.Pipeline.Fakes;
using LightTts.Tests.Support;
using LightTts.Timbres;
using TorchSharp;

namespace LightTts.Tests.Faults;

/// <summary>The fault rows on the real models, in fewer cases, and those that only the real ones can show.</summary>
[Collection(FaultCollection.Name)]
public sealed class RealFaultTests : FaultRows
{
    private protected override int Sample(int cases) => FullRun.Pick(Math.Clamp(cases / 100, 2, 8), Math.Max(4, cases / 10));

    private protected override int DisposalCases => 40;

    private protected override async Task<FaultTarget> Create(TtsPipelineOptions? options = null) => await RealTarget.LoadAsync(options);

    private protected override async Task<FaultTarget> Create(TtsPipelineOptions? options, TimeProvider clock)
    {
        options ??= new TtsPipelineOptions();
        options.TimeProvider = clock;
        return await RealTarget.LoadAsync(options);
    }

    [Fact]
    public async Task Row_12_parameters_out_of_range_are_refused_and_take_nothing()
    {
        await using var target = await RealTarget.LoadAsync();
        await BesidePeers(target, 1, async (_, _) =>
        {
            foreach (var speed in new[] { 0, -1, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e-9, 1e9 })
                for (var i = 0; i < 30; i++)
                    await Refused(target, new SynthesisRequest { Text = "Hello.", Speed = speed, Delivery = (AudioDelivery)(i % 2) });
            await Refused(target, new SynthesisRequest { Text = "Hello.", Speed = 2 });
            await Refused(target, new SynthesisRequest { Text = "Hello.", Delivery = (AudioDelivery)7 });
            await Refused(target, new SynthesisRequest { Text = "Hello.", FlowSteps = 0 });
            await Refused(target, new SynthesisRequest { Text = "Hello.", FlowSteps = int.MaxValue });
            await Refused(target, new SynthesisRequest { Text = "Hello.", MaxSpeechTokens = 0 });
            await Refused(target, new SynthesisRequest { Text = "Hello.", Timeout = TimeSpan.Zero });
            await Refused(target, new SynthesisRequest { Text = "Hello.", FirstAudioTimeout = TimeSpan.FromSeconds(-1) });
            await Refused(target, new SynthesisRequest { Text = "Hello.", Instruction = new string('a', 10_000) });
            foreach (var voice in new[] { "", "nobody", "../../etc/passwd", "/etc/passwd", "a\0b", new string('v', 10_000), @"\\host\share" })
                await Refused(target, new SynthesisRequest { Text = "Hello.", Voice = voice });
            await Refused(target, new SynthesisRequest { Text = null! });
        });
    }

    [Theory]
    [InlineData("empty", false)]
    [InlineData("blank", false)]
    [InlineData("punctuation", false)]
    [InlineData("too long", false)]
    [InlineData("combining marks", null)]
    [InlineData("lone surrogates", true)]
    [InlineData("special tokens", null)]
    [InlineData("right to left and joiners", null)]
    [InlineData("brackets", null)]
    [InlineData("one endless word", true)]
    public async Task Row_14_poisoned_text_is_spoken_or_refused(string kind, bool? spoken)
    {
        var text = kind switch
        {
            "empty" => "",
            "blank" => " \t\r\n\u3000\u200B",
            "punctuation" => "... !? -- ,,, ;",
            "too long" => new string('a', 1_000_001),
            "combining marks" => "a" + new string('\u0301', 100_000),
            "lone surrogates" => "Hello \uD800 there \uDC00.",
            "special tokens" => "<|endofprompt|><|im_start|> hello <|endoftext|>",
            "right to left and joiners" => "\u202Eolleh\u202C \u0634\u0644\u0627\u0645 \U0001F468\u200D\U0001F469\u200D\U0001F467",
            "brackets" => string.Concat(Enumerable.Repeat("([{<", 25_000)),
            "one endless word" => new string('a', 20_000),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
        var pipeline = await SharedPipeline.GetAsync();
        foreach (var streamed in new[] { false, true })
        {
            if (streamed && kind == "too long")
                continue;
            var request = new SynthesisRequest { Text = text, FlowSteps = 1, MaxSpeechTokens = 5 };
            try
            {
                var samples = 0;
                // a few sentences of it are enough to see that it is spoken
                await foreach (var chunk in streamed ? pipeline.SynthesizeAsync(SynthesisEngineTests.Pieces(text), request)
                    : pipeline.SynthesizeAsync(request))
                    if ((samples += chunk.Samples.Length) > 100_000)
                        break;
                // streamed marks are on their way to the model before it is known that no word follows
                Assert.True(spoken != false || (streamed && kind == "punctuation"), streamed ? "streamed" : "as a whole");
            }
            catch (TtsException e)
            {
                Assert.False(spoken == true, e.Message);
                Assert.True(e is TtsRequestException, $"{e.GetType().Name}: {e.Message}");
            }
        }
    }

    [Fact]
    public async Task Row_31_a_voice_with_numbers_that_are_none_fails_its_own_request()
    {
        await using var target = await RealTarget.LoadAsync();
        var clean = (await target.Pipeline.Timbres.AddAsync(AudioClip.FromWavFile(Directory.EnumerateFiles(Path.Combine(Repo.TinyEn, "prompts"),
            "*.wav").First()))).Features;
        var broken = clean with { Mel = [.. clean.Mel.Select(_ => float.NaN)] };
        var voice = new Timbre("broken", "broken", null, TimeSpan.FromSeconds(1), broken);
        await BesidePeers(target, 200, async (_, i) =>
            await Assert.ThrowsAsync<TtsSynthesisException>(() =>
            FakeEngine.Collect(target.Speak(new SynthesisRequest { Text = "Hello.", Timbre = voice, Seed = i, Delivery = (AudioDelivery)(i % 2) }))));
    }

    [Fact]
    public async Task Row_29_more_requests_than_the_cache_holds()
    {
        await using var target = await RealTarget.LoadAsync(new TtsPipelineOptions { KvCacheTokens = 1024 });
        await using var roomy = await RealTarget.LoadAsync();
        var count = FullRun.Pick(24, 64);
        SynthesisRequest Request(int i) =>
            new() { Text = "One two three four five six seven eight nine ten.", Seed = i, MaxSpeechTokens = 60, FlowSteps = 1,
            Delivery = AudioDelivery.Whole };
        var rendered = await Task.WhenAll(Enumerable.Range(0, count).Select(i => target.Render(Request(i)))).WaitAsync(TimeSpan.FromMinutes(4));
        for (var i = 0; i < count; i += 7)
            target.AssertSame(await roomy.Render(Request(i)), rendered[i]);
        await target.AssertIdle();
        target.Log.AssertOneEndEach();
    }

    [Fact]
    public async Task Row_39_loading_that_is_given_up()
    {
        using var unobserved = new UnobservedExceptions();
        for (var part = 0; part < FullRun.Pick(3, 8); part++)
        {
            using var cancel = new CancellationTokenSource();
            var left = part;
            try
            {
                await using var pipeline = await TtsPipeline.LoadAsync(RealTarget.Options(), new Reports(_ =>
                {
                    if (left-- == 0)
                        cancel.Cancel();
                }), cancel.Token);
            }
            catch (OperationCanceledException)
            {
            }
        }
        unobserved.AssertNone();
    }

    /// <summary>A thousand seeds with LIGHTTTS_FULL=1.</summary>
    [Fact]
    public async Task Row_15_many_seeds_give_the_same_tokens_and_samples_in_company()
    {
        await using var target = await RealTarget.LoadAsync();
        SynthesisRequest Request(int seed) =>
            new() { Text = "Hello there.", Seed = seed, FlowSteps = 1, MaxSpeechTokens = 12, Delivery = (AudioDelivery)(seed % 2) };
        async Task<(int[] Tokens, float[] Samples)> Speak(int seed)
        {
            var chunks = await FakeEngine.Collect(target.Speak(Request(seed)));
            return ([.. chunks.SelectMany(chunk => chunk.SpeechTokens.ToArray())], FakeEngine.Join(chunks));
        }
        const int together = 20;
        for (var first = 0; first < FullRun.Pick(40, 1000); first += together)
        {
            var crowd = await Task.WhenAll(Enumerable.Range(first, together).Select(Speak)).WaitAsync(target.Limit);
            for (var i = 0; i < together; i++)
            {
                var alone = await Speak(first + i);
                Assert.Equal(alone.Tokens, crowd[i].Tokens);
                target.AssertSame(alone.Samples, crowd[i].Samples);
            }
        }
        await target.AssertIdle();
    }

    [Fact]
    public void Row_39_the_process_ends_without_dispose()
    {
        for (var i = 0; i < FullRun.Pick(3, 30); i++)
        {
            var random = new Random(i);
            var requests = i % 3 - 1 + (i % 3 == 2 ? 7 : 0); // while it loads, idle, with eight requests under way
            using var child = ChildProcess.Start(ExitWorker.Role, requests.ToString(CultureInfo.InvariantCulture),
            random.Next(300).ToString(CultureInfo.InvariantCulture));
            Assert.Equal(["leaving"], child.ReadToEnd());
            Assert.Equal(0, child.WaitForExit());
        }
    }

    [Fact]
    public async Task Tensors_alive_do_not_grow()
    {
        await using var target = await RealTarget.LoadAsync();
        async Task Round(int seed)
        {
            await Task.WhenAll(Enumerable.Range(0, 10).Select(async i =>
            {
                var random = new Random(seed * 10 + i);
                using var cancel = new CancellationTokenSource();
                if (i % 5 == 0)
                    target.Later(random, cancel.Cancel);
                try
                {
                    await foreach (var _ in target.Speak(new SynthesisRequest { Text = target.Story, Seed = i, Delivery = (AudioDelivery)(i % 2),
                        MaxSpeechTokens = 10 },
                        i % 4 == 0 ? SynthesisEngineTests.Pieces(target.Story) : null, cancel.Token))
                        if (i % 5 == 1)
                            break;
                }
                catch (OperationCanceledException)
                {
                }
            }));
            await target.AssertIdle();
        }
        await Round(0);
        // What tests before this one have left to the collector goes now; what the rounds leave does not.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = torch.Tensor.TotalCount;
        for (var round = 1; round <= FullRun.Pick(3, 20); round++)
            await Round(round);
        Assert.InRange(torch.Tensor.TotalCount, 0, before);
    }

    private static async Task Refused(RealTarget target, SynthesisRequest request)
    {
        var error = await Assert.ThrowsAsync<TtsRequestException>(async () => await FakeEngine.Collect(target.Pipeline.SynthesizeAsync(request)));
        Assert.InRange(error.Message.Length, 10, 1000);
    }

    private sealed class Reports(Action<TtsLoadProgress> report) : IProgress<TtsLoadProgress>
    {
        public void Report(TtsLoadProgress value) => report(value);
    }
}
