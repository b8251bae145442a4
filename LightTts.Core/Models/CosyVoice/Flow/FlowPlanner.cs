using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Decides what a pass computes of each row, and which rows are solved together.</summary>
internal sealed class FlowPlanner(FlowModel flow, IFlowEncoder encoder, int chunkFrames, int melBands, Device device)
{
    private const int MaxSolveFrames = 1 << 14;

    /// <summary>Takes a row's tokens; null where no frames can be computed of them yet. Throws what is wrong with the row.</summary>
    public FlowPlan? Plan(FlowRow row)
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
        var tokens = state.Tokens[start..(row.Final ? end : end + encoder.Lookahead)];
        using var scope = NewDisposeScope();
        var (mu, tail) = encoder.Encode(tokens, row.Final, state.Streaming, start == 0 ? null : state.Tail);
        return new FlowPlan(row, end, tail, new FlowSegment
        {
            Start = start * flow.FramesPerToken,
            Count = (end - start) * flow.FramesPerToken,
            Chunk = state.Streaming ? chunkFrames : 0,
            Mu = mu.DetachFromDisposeScope(),
            Condition = Condition(state, start * flow.FramesPerToken, end * flow.FramesPerToken).DetachFromDisposeScope(),
            Speaker = state.Speaker,
            Cache = state.Cache,
            Shared = state.Shared,
            Last = row.Final,
        }).Begin();
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

    /// <summary>The prompt's mel where frames lie in it, zeros behind it.</summary>
    private Tensor Condition(FlowState state, int start, int end)
    {
        var condition = zeros([end - start, melBands], ScalarType.Float32, device);
        var inside = Math.Min(end, state.PromptFrames) - start;
        if (inside > 0)
            condition.narrow(0, 0, inside).copy_(state.PromptMel.narrow(0, start, inside));
        return condition;
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
}
