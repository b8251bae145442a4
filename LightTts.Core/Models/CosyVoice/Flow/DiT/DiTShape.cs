namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Shape of a batch. Of small batches there are few, so that what a batch launches can be captured for each of them; a batch is padded to
/// one. Of large batches of whole utterances, which take longer than their launches, there are many, with hardly any padding.</summary>
/// <param name="Rows">Blocks of frames: chunks of streamed utterances, or whole utterances.</param>
/// <param name="Frames">Frames of a block.</param>
/// <param name="Pages">Pages whose frames a block may see; 0: a block sees itself only, and nothing is read from pages.</param>
internal readonly record struct DiTShape(int Rows, int Frames, int Pages)
{
    private const int KeyMultiple = 16; // attention kernels copy masks of other lengths
    private const int MostFrames = 1024; // of a batch of whole utterances that is captured

    // Dense where batches are small and a wasted row costs most; steps of a sixth later.
    private static readonly int[] RowSteps = [1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32];
    private static readonly int[] PageSteps = [4, 6, 9, 12, 16, 22];

    /// <summary>Whether keys and values go through pages.</summary>
    public bool IsPaged => Pages > 0;

    /// <summary>Keys that a block may see, padding included.</summary>
    public int Keys => IsPaged ? Multiple(Pages * Frames, KeyMultiple) : Frames;

    /// <summary>The shape for chunks of streamed utterances.</summary>
    /// <param name="blocks">Chunks.</param>
    /// <param name="pages">The most that one of them sees, itself included.</param>
    /// <param name="pageFrames">Frames of a chunk.</param>
    public static DiTShape Chunks(int blocks, int pages, int pageFrames) => new(Step(RowSteps, blocks), pageFrames, Step(PageSteps, pages));

    /// <summary>The shape for whole utterances.</summary>
    /// <param name="utterances">Utterances.</param>
    /// <param name="frames">Frames of the longest.</param>
    public static DiTShape Whole(int utterances, int frames)
    {
        var rows = Step(RowSteps, utterances);
        var padded = Multiple(frames, FrameStep(rows));
        return rows * padded <= MostFrames ? new DiTShape(rows, padded, 0) : new DiTShape(utterances, Multiple(frames, KeyMultiple), 0);
    }

    /// <summary>The shapes that are launched so often, and are so small, that capturing them pays: the smaller a batch, the more of its time
    /// goes into launching.</summary>
    /// <param name="pageFrames">Frames of a chunk.</param>
    /// <param name="maxRows">Utterances of a pass.</param>
    public static IEnumerable<DiTShape> Frequent(int pageFrames, int maxRows)
    {
        foreach (var rows in RowSteps)
            if (rows <= maxRows)
                foreach (var pages in PageSteps)
                    yield return new DiTShape(rows, pageFrames, pages);
        foreach (var rows in RowSteps)
            for (var frames = FrameStep(rows); rows <= maxRows && rows * frames <= MostFrames; frames += FrameStep(rows))
                yield return new DiTShape(rows, frames, 0);
    }

    // One utterance alone, which somebody waits for, is captured in twice as many lengths.
    private static int FrameStep(int rows) => rows == 1 ? 32 : 64;

    private static int Step(int[] steps, int value)
    {
        foreach (var step in steps)
            if (step >= value)
                return step;
        return Multiple(value, Math.Max(8, steps[^1] / 4));
    }

    private static int Multiple(int value, int of) => (value + of - 1) / of * of;
}
