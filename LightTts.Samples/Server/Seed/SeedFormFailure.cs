using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Seed;

/// <summary>Fields of a form that are missing or of the wrong kind, all of them at once.</summary>
internal sealed record SeedFormFailure(IReadOnlyList<SeedFormFault> Faults)
    : Failure(StatusCodes.Status422UnprocessableEntity, "validation", "The form is not valid.")
{
    public string Body() => $"{{\"detail\":[{string.Join(",", Faults.Select(fault => fault.Json()))}]}}";
}
