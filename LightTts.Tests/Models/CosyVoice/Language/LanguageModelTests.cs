using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Language;
using LightTts.Models.CosyVoice.Language.Torch;
using LightTts.Pipeline;
using LightTts.Tests.Support;

namespace LightTts.Tests.Models.CosyVoice.Language;

/// <summary>What holds for the language model whatever its weights: batches, blocks, faults.</summary>
public class LanguageModelTests
{
    private static readonly int[] Lengths = [37, 5, 52, 16, 90, 23];

    /// <summary>A sequence of the embedded voice with made-up text and prompt, different for each number.</summary>
    private static OneShotTokenStream Sequence(LanguageModel model, int number)
    {
        int[] text = [.. Enumerable.Range(0, 3 + number).Select(i => 10 + 31 * i % 1000 + number)];
        int[] prompt = [.. Enumerable.Range(0, Lengths[number % Lengths.Length]).Select(i => (97 * i + 13 * number) % 6561)];
        return new OneShotTokenStream(model.Vocabulary, [1, 2, 1539], text, prompt, new(0, 15 + 4 * number), (ulong)number);
    }

    [Fact]
    public void StepsHaveFewShapes()
    {
        int[] lengths = [.. Enumerable.Range(1, 16_384).Select(LanguageStepBuffers.LengthFor)];
        Assert.All(lengths.Index(), pair => Assert.InRange(pair.Item, pair.Index + 1, Math.Max(pair.Index + 64, (pair.Index + 1) * 1.25)));
        Assert.InRange(lengths.Distinct().Count(), 1, 64);
        Assert.Equal([1, 2, 4, 4, 16, 64], new[] { 1, 2, 3, 4, 9, 64 }.Select(LanguageStepBuffers.RowsFor));
    }

    private static LanguageRow Row(LanguageModel model) => new() { State = model.CreateState(), Inputs = default };

    /// <summary>Takes one step with some sequences; prompts go in pieces of at most so many inputs.</summary>
    private static void Step(LanguageModel model, IReadOnlyList<(OneShotTokenStream Stream, LanguageRow Row)> sequences, int piece = int.MaxValue)
    {
        foreach (var (stream, row) in sequences)
        {
            var count = Math.Min(piece, stream.Pending.Length);
            row.Inputs = stream.Pending[..count];
            row.Draw = count == stream.Pending.Length ? stream.Draw : null;
        }

        model.Step([.. sequences.Select(sequence => sequence.Row)]);
        foreach (var (stream, row) in sequences)
        {
            Assert.Null(row.Error);
            if (row.Draw is null)
                stream.Advance(row.Inputs.Length);
            else
                stream.Accept(row.Token % model.Vocabulary.Size); // made-up text may end at once: the length is given instead
        }
    }

    private static List<int[]> Alone(LanguageModel model, int sequences)
    {
        var results = new List<int[]>();
        for (var number = 0; number < sequences; number++)
        {
            var sequence = (Stream: Sequence(model, number), Row: Row(model));
            while (sequence.Stream.Ready)
                Step(model, [sequence]);
            sequence.Row.State.Dispose();
            results.Add([.. sequence.Stream.History]);
        }

        return results;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TokensDoNotDependOnTheCompany(bool torch)
    {
        const int sequences = 6;
        using var model = LanguageModels.Load("en", torch);
        var alone = Alone(model, sequences);
        Assert.Equal(Enumerable.Range(0, sequences).Select(number => 15 + 4 * number), alone.Select(tokens => tokens.Length));
        Assert.True(alone[5].Distinct().Count() > 5);

        // Sequences join one after the other, prompts in pieces, and leave as they end; one is preempted on the way.
        var all = Enumerable.Range(0, sequences).Select(number => (Stream: Sequence(model, number), Row: Row(model))).ToList();
        for (var step = 0; all.Exists(sequence => sequence.Stream.Ready); step++)
        {
            Step(model, [.. all.Take(1 + step / 3).Where(sequence => sequence.Stream.Ready)], piece: 20 + step % 7);
            if (step == 11)
            {
                all[2].Row.State.Reset();
                all[2].Stream.Rewind();
            }
        }

        Assert.Equal(alone, all.Select(sequence => sequence.Stream.History.ToArray()));
        foreach (var (_, row) in all)
            row.State.Dispose();
        Assert.Equal(model.KvBlocks, model.FreeKvBlocks);
    }

    [Fact]
    public void OnTheCpuLogitsAreTheSameBitsInAnyBatchAndPiece()
    {
        using var model = LanguageModels.Load("en", torch: false);
        var inputs = Sequence(model, 4).Pending.ToArray();
        var expected = Logits(model, [inputs.Length]);
        Assert.Equal(expected, Logits(model, [40, 1, 7, inputs.Length - 48]));
        foreach (var others in (int[])[1, 2, 3, 6, 15])
            Assert.Equal(expected, Logits(model, [inputs.Length - 1, 1], others));

        float[] Logits(LanguageModel model, int[] pieces, int others = 0)
        {
            var row = Row(model);
            var company = Enumerable.Range(0, others).Select(number => (Stream: Sequence(model, number), Row: Row(model))).ToList();
            var at = 0;
            float[] logits = [];
            foreach (var piece in pieces)
            {
                row.Inputs = inputs.AsMemory(at, piece);
                row.Draw = LanguageModels.AnyDraw;
                at += piece;
                foreach (var (stream, other) in company)
                    (other.Inputs, other.Draw) = (stream.Pending[..Math.Min(3, stream.Pending.Length)], null);
                logits = model.Forward([.. company.Select(other => other.Row), row]).ToArray();
            }

            foreach (var (_, other) in company)
                other.State.Dispose();
            row.State.Dispose();
            return logits;
        }
    }

    [Fact]
    public void TheEnginesAgree()
    {
        using var cpu = LanguageModels.Load("en", torch: false);
        using var torch = LanguageModels.Load("en", torch: true);
        var inputs = Sequence(cpu, 4).Pending.ToArray();
        using var cpuState = cpu.CreateState();
        using var torchState = torch.CreateState();
        LanguageModels.Close(LanguageModels.LogProbabilities(torch, torchState, inputs), LanguageModels.LogProbabilities(cpu, cpuState, inputs),
            "prompt");
        LanguageModels.Close(LanguageModels.LogProbabilities(torch, torchState, ~5), LanguageModels.LogProbabilities(cpu, cpuState, ~5), "step");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BlocksAreTakenAsASequenceGrowsAndGivenBack(bool torch)
    {
        using var model = LanguageModels.Load("cv3", torch, new LanguageModelOptions(4, new LanguageLimits(16, 128)));
        var block = model.KvBlockSize;
        var row = Row(model);
        Feed(block);
        Assert.Equal(3, model.FreeKvBlocks);
        Feed(1);
        Assert.Equal(2, model.FreeKvBlocks);
        Assert.Equal(block + 1, row.State.Length);
        Feed(block - 1);
        Assert.Equal(2, model.FreeKvBlocks);

        var error = Assert.Throws<KvBlocksExhaustedException>(() => Feed(2 * block + 1));
        Assert.Equal((3, 2), (error.Needed, error.Free));
        Assert.Equal(2 * block, row.State.Length);
        Assert.Equal(2, model.FreeKvBlocks);

        row.State.Reset();
        Assert.Equal((0, 4), (row.State.Length, model.FreeKvBlocks));
        Feed(4 * block);
        Assert.Equal(0, model.FreeKvBlocks);
        row.State.Dispose();
        row.State.Dispose();
        Assert.Equal(4, model.FreeKvBlocks);
        Assert.Throws<ObjectDisposedException>(() => Feed(1));

        void Feed(int count)
        {
            row.Inputs = Enumerable.Range(0, count).Select(i => ~i).ToArray();
            model.Step([row]);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ARowThatFailsHarmsNoOtherAndLeavesNothingBehind(bool torch)
    {
        // Text token 3's embedding is damaged.
        using var model = LanguageModels.Load("cv3", torch, new LanguageModelOptions(2, new LanguageLimits(16, 128)), damagedText: 3);
        var expected = Draw(model, [~1, ~2, ~3]).Token;
        var (good, bad) = (Row(model), Row(model));
        (good.Inputs, good.Draw) = (new[] { ~1, ~2, ~3 }, LanguageModels.AnyDraw);
        (bad.Inputs, bad.Draw) = (new[] { ~1, 3, ~3 }, LanguageModels.AnyDraw);
        model.Step([bad, good]);
        Assert.IsType<TtsSynthesisException>(bad.Error);
        Assert.Equal(-1, bad.Token);
        Assert.Null(good.Error);
        Assert.Equal(expected, good.Token);

        // The next step is taken together by one whose length needs padding and one that has the failed row's block.
        bad.State.Dispose();
        good.State.Dispose();
        for (var i = 0; i < 2; i++)
            Assert.Equal(expected, Draw(model, [~1, ~2, ~3]).Token);

        static LanguageRow Draw(LanguageModel model, int[] inputs)
        {
            var row = Row(model);
            model.Step([new LanguageRow { State = row.State, Inputs = inputs.AsMemory(0, inputs.Length - 1) }]);
            (row.Inputs, row.Draw) = (inputs.AsMemory(inputs.Length - 1), LanguageModels.AnyDraw);
            model.Step([row]);
            Assert.Null(row.Error);
            row.State.Dispose();
            return row;
        }
    }

    [Theory]
    [InlineData(151936)]
    [InlineData(~712)]
    [InlineData(int.MinValue)]
    public void InputsOutsideOfTheTablesFailTheirRowOnly(int input)
    {
        using var model = LanguageModels.Load("cv3", torch: false);
        var (good, bad) = (Row(model), Row(model));
        (good.Inputs, good.Draw) = (new[] { 1 }, LanguageModels.AnyDraw);
        (bad.Inputs, bad.Draw) = (new[] { input }, LanguageModels.AnyDraw);
        model.Step([bad, good]);
        Assert.IsType<TtsSynthesisException>(bad.Error);
        Assert.Equal(0, bad.State.Length);
        Assert.True(good.Token >= 0);
        good.State.Dispose();
        bad.State.Dispose();
        Assert.Equal(model.KvBlocks, model.FreeKvBlocks);
    }
}
