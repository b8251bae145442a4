using LightTts.Models.CosyVoice.Flow.DiT;

namespace LightTts.Tests.Models.CosyVoice.Flow;

/// <summary>Shapes of batches of whole utterances.</summary>
public sealed class DiTShapeTests
{
    /// <summary>Small batches have shapes that are captured; large ones as many rows as there are utterances and hardly more frames.</summary>
    [Fact]
    public void Whole_utterances()
    {
        const int most = 32;
        var captured = DiTShape.Frequent(50, most).Where(shape => !shape.IsPaged).ToHashSet();
        Assert.InRange(captured.Count, 30, 60);
        for (var utterances = 1; utterances <= most; utterances++)
            for (var frames = 1; frames <= 1500; frames += 7)
            {
                var shape = DiTShape.Whole(utterances, frames);
                Assert.True(shape.Rows >= utterances && shape.Frames >= frames);
                if (captured.Contains(shape))
                    continue;
                Assert.Equal(utterances, shape.Rows);
                Assert.InRange(shape.Frames, frames, frames + 15);
            }
        Assert.Equal(new DiTShape(1, 672, 0), DiTShape.Whole(1, 650));
        Assert.Equal(new DiTShape(8, 656, 0), DiTShape.Whole(8, 650));
    }
}
