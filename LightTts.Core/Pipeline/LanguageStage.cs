using LightTts.Diagnostics;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>A message to the language stage; the default value only wakes it.</summary>
/// <param name="Utterance">Begins where <paramref name="Text"/> is null; otherwise more of its streamed text has arrived.</param>
/// <param name="Text">Token ids of streamed text.</param>
/// <param name="Spoken">The text that the ids stand for, where it is known.</param>
/// <param name="TextComplete">Whether no more text of this utterance will come.</param>
/// <param name="Change">A language model comes or goes, instead.</param>
internal readonly record struct LanguageMessage(Utterance? Utterance, int[]? Text, bool TextComplete, string Spoken = "", StyleChange? Change = null);

/// <summary>A language model comes or goes.</summary>
/// <param name="Style">Which.</param>
/// <param name="IsRemoval">Goes: nobody uses it any more.</param>
internal sealed record StyleChange(LanguageStyle Style, bool IsRemoval)
{
    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>Second stage: text tokens into speech tokens, the requests of each language model in one continuous batch that they
/// join and leave between steps.</summary>
/// <remarks>Where there are several models, their steps are launched one after the other and collected in the same order: on a
/// device they follow each other without a gap, on the CPU they take turns.</remarks>
internal sealed class LanguageStage : Stage<LanguageMessage>
{
    private readonly DecodeStage _decode;
    private readonly Action _wakeEncode;
    private readonly int _maxRedraws;
    private readonly Dictionary<LanguageStyle, LanguageLane> _lanes = [];
    private readonly List<LanguageLane> _launched = [];
    private volatile int _held;
    private volatile int _blocksInUse;

    public LanguageStage(IEnumerable<LanguageStyle> styles, DecodeStage decode, int maxRedraws, int capacity, TimeProvider time, ILogger log,
        Action wakeEncode)
        : base(PipelineStage.Language, capacity, time, log)
    {
        _decode = decode;
        _wakeEncode = wakeEncode;
        _maxRedraws = maxRedraws;
        foreach (var style in styles)
            _lanes.Add(style, CreateLane(style));
    }

    /// <summary>Sequences held now.</summary>
    public int Held => _held;

    /// <summary>KV blocks in use now.</summary>
    public int KvBlocksInUse => _blocksInUse;

    protected override IDisposable Enter() => _lanes.Keys.First().Model.EnterThread();

    protected override void WarmUp()
    {
        foreach (var lane in _lanes.Values)
            lane.WarmUp();
    }

    protected override void Receive(LanguageMessage message)
    {
        if (message.Change is { } change)
            Apply(change);
        else if (message.Utterance is { Job.HasEnded: false } utterance)
            _lanes[utterance.Job.Style!].Receive(message);
    }

    protected override void Refuse(LanguageMessage message, Exception cause)
    {
        message.Utterance?.Job.Fail(cause);
        if (message.Change is not { } change)
            return;
        change.Done.TrySetException(cause);
        if (!change.IsRemoval)
            change.Style.Model.Dispose(); // it was handed over, and nobody else has it
    }

    protected override bool Step()
    {
        var measurement = LightTtsDiagnostics.MeasureStage(Name);
        _launched.Clear();
        foreach (var lane in _lanes.Values)
            if (lane.Launch())
                _launched.Add(lane);
        foreach (var lane in _launched)
        {
            lane.Collect();
            _decode.Wake();
        }
        Count();
        if (_launched.Count == 0)
            return false;
        measurement.Dispose();
        return true;
    }

    protected override void Fault(Exception cause)
    {
        foreach (var lane in _lanes.Values)
            lane.Fault(cause);
        Count();
    }

    protected override void Close()
    {
        foreach (var lane in _lanes.Values)
            lane.Close(new ObjectDisposedException(nameof(TtsPipeline)));
        _lanes.Clear();
        Count();
    }

    private void Apply(StyleChange change)
    {
        if (!change.IsRemoval)
        {
            var lane = CreateLane(change.Style);
            lane.WarmUp();
            _lanes.Add(change.Style, lane);
        }
        else if (_lanes.Remove(change.Style, out var lane))
        {
            lane.Close(new ObjectDisposedException(nameof(TtsPipeline)));
        }
        change.Done.TrySetResult();
    }

    private LanguageLane CreateLane(LanguageStyle style) => new(style.Model, _decode, _maxRedraws, Log, _wakeEncode);

    private void Count()
    {
        int held = 0, blocks = 0;
        foreach (var lane in _lanes.Values)
            (held, blocks) = (held + lane.Held, blocks + lane.KvBlocksInUse);
        (_held, _blocksInUse) = (held, blocks);
    }
}
