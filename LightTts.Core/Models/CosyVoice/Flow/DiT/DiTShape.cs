namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Shape of a batch. There are few, so that what a batch launches can be captured for each of them; a batch is padded to one.</summary>
/// <param name="Rows">Blocks of frames: chunks of streamed utterances, or whole utterances.</param>
/// <param name="Frames">Frames of a block.</param>
/// <param name="Pages">Pages whose frames a block may see; 0: a block sees itself only, and nothing is read from pages.</param>
internal readonly record struct DiTShape(int Rows, int Frames, int Pages)
{
    private const int KeyMultiple = 16; // attention kernels copy masks of other lengths

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
    public static DiTShape Whole(int utterances, int frames) => new(Step(RowSteps, utterances), RoundFrames(frames), 0);

    /// <summary>A whole utterance's frames with their padding: at most an eighth of them, or 64.</summary>
    public static int RoundFrames(int frames) =>
        Multiple(frames, Math.Max(64, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)frames) / 16));

    /// <summary>The shapes that are launched so often, and are so small, that capturing them pays: the smaller a batch, the more of its time
    /// goes into launching.</summary>
    /// <param name="pageFrames">Frames of a chunk.</param>
    /// <param name="maxRows">Utterances of a pass.</param>
    public static IEnumerable<DiTShape> Frequent(int pageFrames, int maxRows)
    {
        const int longest = 1024, most = 1536; // frames of an utterance, of a batch
        foreach (var rows in RowSteps)
            if (rows <= maxRows)
                foreach (var pages in PageSteps)
                    yield return new DiTShape(rows, pageFrames, pages);
        foreach (var rows in RowSteps)
            for (var frames = RoundFrames(1); rows <= maxRows && frames <= longest && rows * frames <= most; frames = RoundFrames(frames + 1))
                yield return new DiTShape(rows, frames, 0);
    }

    private static int Step(int[] steps, int value)
    {
        foreach (var step in steps)
            if (step >= value)
                return step;
        return Multiple(value, Math.Max(8, steps[^1] / 4));
    }

    private static int Multiple(int value, int of) => (value + of - 1) / of * of;
}
