namespace LightTts.Samples.Worker;

/// <summary>Which texts are spoken, and how.</summary>
internal sealed class InboxOptions
{
    /// <summary>The folder that is watched for *.txt files.</summary>
    public string Folder { get; set; } = "inbox";

    /// <summary>The voice; null for the model's default.</summary>
    public string? Voice { get; set; }

    /// <summary>How long nothing must happen to a file before it is taken for complete.</summary>
    public TimeSpan Quiet { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Files that are spoken at once; the pipeline batches them.</summary>
    public int AtOnce { get; set; } = 4;
}
