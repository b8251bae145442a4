using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using LightTts.Diagnostics;

namespace LightTts.Benchmarks.Ledger;

/// <summary>What happened to one streamed request and when, in milliseconds since it was made.</summary>
internal sealed class RequestTimeline
{
    private const int ChunksTold = 3;

    private readonly List<Step> _steps = [];
    private readonly List<(double At, long Count)> _rows = [];
    private readonly List<(double At, long Count)> _frames = [];
    private readonly List<Chunk> _chunks = [];

    /// <summary>Watches a request, from what the engine reports of its stages: of a pipeline that serves nobody else.</summary>
    /// <param name="request">Not asked for yet.</param>
    public static async Task<RequestTimeline> WatchAsync(IAsyncEnumerable<AudioChunk> request)
    {
        var timeline = new RequestTimeline();
        var gate = new Lock();
        var asked = Stopwatch.GetTimestamp();
        double Now() => Stopwatch.GetElapsedTime(asked).TotalMilliseconds;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == LightTtsDiagnostics.Name
                    && instrument.Name is "lighttts.stage.duration" or "lighttts.lm.tokens" or "lighttts.flow.frames")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) =>
        {
            var now = Now();
            foreach (var tag in tags)
                if (tag is { Key: "lighttts.stage", Value: string stage })
                    lock (gate)
                        timeline.AddStep(stage, now - 1000 * seconds, now);
        });
        listener.SetMeasurementEventCallback<long>((instrument, count, _, _) =>
        {
            var now = Now();
            lock (gate)
            {
                if (instrument.Name == "lighttts.lm.tokens")
                    timeline.AddRows(now, count);
                else
                    timeline.AddFrames(now, count);
            }
        });
        listener.Start();
        asked = Stopwatch.GetTimestamp();
        await foreach (var chunk in request)
            lock (gate)
                timeline.AddChunk(Now(), chunk.Elapsed.TotalMilliseconds, chunk.SpeechTokens.Length, chunk.Duration.TotalSeconds);
        return timeline;
    }

    /// <summary>A step of a stage.</summary>
    public void AddStep(string stage, double start, double end) => _steps.Add(new Step(stage, start, end));

    /// <summary>So many rows of the language model went a step on.</summary>
    public void AddRows(double at, long count) => _rows.Add((at, count));

    /// <summary>The flow has made so many frames.</summary>
    public void AddFrames(double at, long count) => _frames.Add((at, count));

    /// <summary>A chunk has come.</summary>
    /// <param name="at">To its listener.</param>
    /// <param name="left">When it left the decode stage, counted from the acceptance of the request, a moment later than the rest.</param>
    /// <param name="tokens">Speech tokens in it.</param>
    /// <param name="seconds">Of audio.</param>
    public void AddChunk(double at, double left, int tokens, double seconds) => _chunks.Add(new Chunk(at, left, tokens, seconds));

    /// <summary>A table: when, and what.</summary>
    public override string ToString()
    {
        List<(double At, string What)> lines = [(0, "request in")];
        if (Of(PipelineStage.Encode) is [var encode, ..])
            lines.Add((encode.End, $"encode: done, {Ms(encode.Length)} of work"));
        var (language, decode) = (Of(PipelineStage.Language), Of(PipelineStage.Decode));
        if (language.Count > 0)
        {
            lines.Add((language[0].Start, "language: the prompt's step begins"));
            lines.Add((language[0].End, $"language: done, {Ms(language[0].Length)}"));
        }
        for (var i = 0; i < Math.Min(_chunks.Count, ChunksTold); i++)
            Describe(lines, language, decode, i);
        if (language.Count > 0)
            lines.Add((language[^1].End, $"language: last of {language.Count} steps"));
        if (_chunks.Count > ChunksTold)
            lines.Add((_chunks[^1].At, $"chunk {_chunks.Count} here, the last"));
        var text = new StringBuilder("== one streamed request, ms since it was made\n");
        foreach (var (at, what) in lines.OrderBy(line => line.At))
            text.Append(CultureInfo.InvariantCulture, $"{at,9:0.00}  {what}\n");
        return text.Append('\n').ToString();
    }

    /// <summary>What the stages did for a chunk since the one before left.</summary>
    private void Describe(List<(double At, string What)> lines, List<Step> language, List<Step> decode, int index)
    {
        var (chunk, after) = (_chunks[index], index == 0 ? 0 : _chunks[index - 1].Left);
        var parts = decode.FindAll(step => step.Middle > after && step.Middle <= chunk.Left);
        var name = $"chunk {index + 1}";
        if (parts.Count > 0)
        {
            var drawn = _rows.Where(step => step.At <= parts[0].Start).Sum(step => step.Count);
            lines.Add((parts[0].Start, $"decode: {name} begins; the language model has gone {drawn} steps"));
            foreach (var (at, count) in _frames)
                if (at >= parts[0].Start && at <= parts[^1].End)
                    lines.Add((at, $"decode: {name}, flow done, {count} frames"));
            var work = parts.Sum(part => part.Length);
            var beside = parts[^1].End - parts[0].Start - work;
            lines.Add((parts[^1].End, $"decode: {name} done, {parts.Count} parts, {Ms(work)} of work, {Ms(beside)} beside it"));
        }
        lines.Add((chunk.At, string.Create(CultureInfo.InvariantCulture,
            $"{name} here: {chunk.Tokens} tokens, {chunk.Seconds:0.00} s of audio; made at {chunk.Left:0.00}")));
        var steps = language.FindAll(step => step.Start >= after && step.End <= chunk.At).ConvertAll(step => step.Length);
        if (steps.Count == 0)
            return;
        var median = steps.Order().ElementAt(steps.Count / 2);
        lines.Add((chunk.At, $"language: {steps.Count} steps in the meantime, {Ms(steps.Sum())} of work, {Ms(median)} at the median"));
    }

    private List<Step> Of(PipelineStage stage) => _steps.FindAll(step => step.Stage == stage.Name());

    private static string Ms(double value) => value.ToString("0.00", CultureInfo.InvariantCulture) + " ms";

    private readonly record struct Step(string Stage, double Start, double End)
    {
        public double Length => End - Start;

        public double Middle => (Start + End) / 2;
    }

    private readonly record struct Chunk(double At, double Left, int Tokens, double Seconds);
}
