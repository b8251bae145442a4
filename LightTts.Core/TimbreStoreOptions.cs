namespace LightTts;

/// <summary>How an <see cref="ITimbreStore"/> keeps voices.</summary>
public sealed class TimbreStoreOptions
{
    /// <summary>Whether voices are shared with the user's other processes through a memory-mapped segment.</summary>
    /// <value>Default true.</value>
    public bool Shared { get; set; } = true;

    /// <summary>The segment's file. One that holds something else (damage, another model,
    /// a newer format) is left as it is and a file beside it is used instead.</summary>
    /// <value>Default null: a file for each model in a folder that only this user can enter,
    /// in shared memory where the system has it, in the temp folder otherwise.</value>
    public string? SegmentPath { get; set; }

    /// <summary>How large the segment may grow. While it is compacted, the old one and the new one exist side by side.</summary>
    /// <value>1 MB (2^20) to 4 GB. Default 64 MB, which is about 900 voices of 4 s.</value>
    public long SegmentBytes { get; set; } = 64L << 20;

    /// <summary>Whether voices with a name are kept on disk, so that they are there when
    /// the system has started anew, until they are removed.</summary>
    /// <value>Default true. A store that is not <see cref="Shared"/> keeps them only where <see cref="DurableFolder"/> is named.</value>
    public bool Durable { get; set; } = true;

    /// <summary>The folder for voices with a name. It is made, for this user only, when the first is added.</summary>
    /// <value>Default null: <c>lighttts/timbres</c> in the user's data folder (<c>XDG_DATA_HOME</c> or <c>~/.local/share</c>; <c>%LOCALAPPDATA%</c>;
    /// <c>~/Library/Application Support</c>), or, where <see cref="SegmentPath"/> is named, that path with <c>.named</c> behind it.</value>
    public string? DurableFolder { get; set; }

    /// <summary>How many names the folder may hold for each model and tenant. One more is an error.</summary>
    /// <value>1 to 1,000,000. Default 16,384, which is about 1 GB of voices of 4 s.</value>
    public int MaxDurableTimbres { get; set; } = 16_384;

    /// <summary>What the voices in this process may take, those in use included.</summary>
    /// <value>At least 0. Default 256 MB.</value>
    public long ProcessBytes { get; set; } = 256L << 20;

    /// <summary>How many voices this process, and the segment, may hold.</summary>
    /// <value>1 to 65,536. Default 4,096.</value>
    public int MaxTimbres { get; set; } = 4096;

    /// <summary>Keeps voices of one tenant apart from another's: a voice is only ever found under the tenant that it was added under.</summary>
    /// <value>At most 256 characters. Default null: one tenant.</value>
    public string? Tenant { get; set; }

    /// <summary>How long to wait for another process that extracts the same voice, before extracting it here, too.</summary>
    /// <value>Zero or more. Default 30 s.</value>
    public TimeSpan ExtractionWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Validate()
    {
        if (FindFaults().Found is [var fault, ..])
            throw new ArgumentOutOfRangeException(fault.Option, fault.Value, $"{fault.Option} is out of its range. {fault.Cure}");
    }

    internal OptionFaults FindFaults()
    {
        var faults = new OptionFaults { Prefix = nameof(TtsPipelineOptions.Timbres) + "." };
        faults.Require(SegmentBytes is >= 1L << 20 and <= 4L << 30, SegmentBytes, "Set 1048576 (1 MB) to 4294967296 (4 GB).");
        faults.Require(ProcessBytes >= 0, ProcessBytes, "Set 0 or more bytes.");
        faults.Require(MaxTimbres is >= 1 and <= 65_536, MaxTimbres, "Set 1 to 65536.");
        faults.Require(MaxDurableTimbres is >= 1 and <= 1_000_000, MaxDurableTimbres, "Set 1 to 1000000.");
        faults.Require((Tenant?.Length ?? 0) <= 256, Tenant, "At most 256 characters are allowed.");
        faults.Require(ExtractionWait >= TimeSpan.Zero, ExtractionWait, "Set zero or more.");
        return faults;
    }
}
