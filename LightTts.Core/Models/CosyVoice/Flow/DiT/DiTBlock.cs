namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Frames of a batch that see the same.</summary>
/// <param name="Segment">Whose they are.</param>
/// <param name="Owner">Its number.</param>
/// <param name="At">The first one's place in the pass.</param>
/// <param name="Own">The same in the batch.</param>
/// <param name="Start">The same, counted from the utterance's first.</param>
/// <param name="Count">How many they are.</param>
/// <param name="Seen">Frames that they see, from the utterance's first.</param>
/// <param name="Pages">Pages with these, their own included; 0 where there are none.</param>
/// <param name="First">The segment's first block.</param>
internal sealed record DiTBlock(FlowSegment Segment, int Owner, int At, int Own, int Start, int Count, int Seen, int Pages, int First)
{
    /// <summary>A batch's frames in blocks; of a chunk-causal segment one a chunk.</summary>
    public static List<DiTBlock> Of(List<(FlowSegment Segment, int At)> segments, int pageFrames)
    {
        List<DiTBlock> blocks = [];
        var own = 0;
        for (var i = 0; i < segments.Count; i++)
        {
            var (segment, at) = segments[i];
            if (segment.Chunk == 0)
            {
                blocks.Add(new DiTBlock(segment, i, at, own, 0, segment.Count, segment.Count, 0, blocks.Count));
                own += segment.Count;
                continue;
            }
            if (segment.Chunk != pageFrames || segment.Start % pageFrames != 0)
                throw new InvalidOperationException($"Chunks of {segment.Chunk} frames from {segment.Start} on do not fit pages of {pageFrames}.");
            var first = blocks.Count;
            for (var done = 0; done < segment.Count; done += pageFrames)
            {
                var count = Math.Min(pageFrames, segment.Count - done);
                var start = segment.Start + done;
                blocks.Add(new DiTBlock(segment, i, at + done, own + done, start, count, start + count, start / pageFrames + 1, first));
            }
            own += segment.Count;
        }
        return blocks;
    }

    /// <summary>Where the pages that each block sees lie at a step: kept ones in its cache, the others in working memory.</summary>
    /// <param name="blocks">The batch's.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="pages">Whose places they are.</param>
    /// <param name="step">The step.</param>
    /// <param name="places">[Rows, Pages + 3], see <see cref="DiTStepBuffers"/>.</param>
    public static void Places(List<DiTBlock> blocks, DiTShape shape, DiTPages pages, int step, Span<long> places)
    {
        var columns = shape.Pages + 3;
        for (var i = 0; i < shape.Rows; i++)
        {
            var row = places.Slice(i * columns, columns);
            row.Fill(pages.Zero);
            if (i >= blocks.Count)
            {
                row[0] = row[^1] = pages.Scratch(i);
                continue;
            }
            var (segment, seen, first) = (blocks[i].Segment, blocks[i].Pages, blocks[i].First);
            var kept = (segment.Cache as FlowPageCache)?.Pages(step);
            var before = segment.Start / pages.Frames;
            for (var page = 0; page < seen; page++)
                row[page] = kept is not null && (page < before || !segment.Last) ? pages.Row(kept.Pages[page]) : pages.Scratch(first + page - before);
            row[^1] = row[seen - 1];
            if (blocks[i].Start > 0)
                row[^2] = row[seen - 2];
        }
    }
}
