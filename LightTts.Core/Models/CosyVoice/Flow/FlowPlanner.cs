using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Decides what a pass computes of each row, and which rows are solved together.</summary>
internal sealed class FlowPlanner(FlowModel flow, IFlowEncoder encoder, int chunkFrames, int melBands, Device device)
{
    private const int MaxSolveFrames = 1 << 14;

    /// <summary>Takes the rows' tokens. A row of which no frames can be computed yet has no plan; one with which something is wrong gets its
    /// error.</summary>
    public List<FlowPlan> Plan(IEnumerable<FlowRow> rows)
    {
        List<Draft> drafts = [];
        foreach (var row in rows)
            row.Guard(() =>
            {
                if (Take(row) is { } draft)
                    drafts.Add(draft);
            });
        if (drafts.Count == 0)
            return [];
        try
        {
            return Encode(drafts);
        }
        catch (Exception) when (drafts.Count > 1)
        {
            // One of them may be to blame.
            List<FlowPlan> plans = [];
            foreach (var draft in drafts)
                draft.Row.Guard(() => plans.AddRange(Encode([draft])));
            return plans;
        }
        catch (Exception e)
        {
            drafts[0].Row.Error = e;
            return [];
        }
    }

    /// <summary>Groups of equal numbers of solver steps, none with more frames than memory is meant for.</summary>
    public static IEnumerable<List<FlowPlan>> Group(IEnumerable<FlowPlan> plans)
    {
        foreach (var group in plans.GroupBy(plan => plan.Row.State.Steps))
        {
            List<FlowPlan> part = [];
            var frames = 0;
            foreach (var plan in group)
            {
                if (part.Count > 0 && frames + plan.Segment.Count > MaxSolveFrames)
                {
                    yield return part;
                    (part, frames) = ([], 0);
                }
                part.Add(plan);
                frames += plan.Segment.Count;
            }
            yield return part;
        }
    }

    private Draft? Take(FlowRow row)
    {
        var state = row.State;
        ObjectDisposedException.ThrowIf(state.Finished, state);
        state.Append(row.Tokens.Span);
        var frames = state.Tokens.Length * flow.FramesPerToken;
        if (frames > flow.MaxFrames)
            throw new TtsRequestException($"An utterance may have {flow.MaxFrames} mel frames ({flow.MaxFrames / 50} s), the voice's reference audio "
            + $"included; "
                + $"this one has {frames}. Split the text into shorter pieces.");
        var end = state.PassEnd(row.Final);
        if (end == state.DoneTokens)
        {
            if (row.Final)
                state.Advance(end, 0, null, final: true);
            return null;
        }
        Remember(state, end, row.Final);
        var start = state.KeptTokens;
        var tokens = state.Tokens[start..(row.Final ? end : end + encoder.Lookahead)].ToArray();
        return new Draft(row, start, end, new FlowTokens(tokens, row.Final, state.Streaming, start == 0 ? null : state.Tail));
    }

    private List<FlowPlan> Encode(List<Draft> drafts)
    {
        using var scope = NewDisposeScope();
        var conditions = Conditions(drafts);
        var encoded = encoder.Encode(drafts.ConvertAll(draft => draft.Tokens));
        return [.. drafts.Select((draft, i) => new FlowPlan(draft.Row, draft.End, encoded[i].Tail, new FlowSegment
        {
            Start = draft.Start * flow.FramesPerToken,
            Count = (draft.End - draft.Start) * flow.FramesPerToken,
            Chunk = draft.Row.State.Streaming ? chunkFrames : 0,
            Mu = encoded[i].Mu.DetachFromDisposeScope(),
            Condition = conditions[i].DetachFromDisposeScope(),
            Speaker = draft.Row.State.Speaker,
            Cache = draft.Row.State.Cache,
            Shared = draft.Row.State.Shared,
            Last = draft.Row.Final,
        }).Begin())];
    }

    /// <summary>Each one's prompt's mel where its frames lie in it, zeros behind it: [frames, bands], parts of one tensor.</summary>
    private Tensor[] Conditions(List<Draft> drafts)
    {
        long[] counts = [.. drafts.Select(draft => (long)(draft.End - draft.Start) * flow.FramesPerToken)];
        var conditions = zeros([counts.Sum(), melBands], ScalarType.Float32, device).split(counts);
        foreach (var (draft, condition) in drafts.Zip(conditions))
        {
            var (state, start) = (draft.Row.State, draft.Start * flow.FramesPerToken);
            var inside = Math.Min(draft.End * flow.FramesPerToken, state.PromptFrames) - start;
            if (inside > 0)
                condition.narrow(0, 0, inside).copy_(state.PromptMel.narrow(0, start, inside));
        }
        return conditions;
    }

    /// <summary>Makes room for what a pass adds to what the state keeps; where there is none, the state goes on without.</summary>
    private void Remember(FlowState state, int end, bool final)
    {
        if (state.Cache is not null)
        {
            // A last pass adds nothing; it may begin from a prefix's pages, which takes no more than they.
            if (!flow.Memory.TryReserve(state, (final ? state.KeptTokens : end) * flow.FramesPerToken))
                state.GiveUpCaches();
        }
        else if (state.WantsCache && !final)
        {
            flow.TryRegain(state, end);
        }
    }

    /// <summary>What a pass computes of a row: tokens from the prompt's first, and what the encoder takes for them.</summary>
    private sealed record Draft(FlowRow Row, int Start, int End, FlowTokens Tokens);
}
