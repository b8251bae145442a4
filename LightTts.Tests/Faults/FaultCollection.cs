namespace LightTts.Tests.Faults;

/// <summary>Fault tests run alone: they look at exceptions that nobody observed in the whole process, and they want the cores.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class FaultCollection
{
    public const string Name = "Faults";
}
